import type { CommandContext } from "../takopi/command-backend.js";

/** Who sent a command, as the refresh log names them: `telegram:42`; null where its transport or sender is not known. */
export function requesterOf({
  transport,
  message: { senderId },
}: Pick<CommandContext, "transport" | "message">): string | null {
  return transport === null || senderId === null ? null : `${transport}:${senderId}`;
}
