import type { Action } from "../takopi/command-backend.js";

/** What each button says, and whether pressing it ends something. */
export const actionButtons: Record<Action, { label: string; emoji: string; isDanger: boolean }> = {
  refresh: { label: "Refresh", emoji: "🔄", isDanger: false },
  doctor: { label: "Doctor", emoji: "🩺", isDanger: false },
  revoke: { label: "Revoke", emoji: "🛑", isDanger: true },
};
