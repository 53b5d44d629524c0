import { type CommandContext, terminalChannel } from "../takopi/command-backend.js";

/**
 * Who asks for a refresh, as the refresh log tells it: from where, and `by` whom, as in `telegram:42`; null where its
 * transport or sender is not known.
 */
export type Requester = { trigger: "chat" | "terminal"; by: string | null };

/** Who sent a command. */
export function requesterOf({
  transport,
  message: { channelId, senderId },
}: Pick<CommandContext, "transport" | "message">): Requester {
  return {
    trigger: channelId === terminalChannel ? "terminal" : "chat",
    by: transport === null || senderId === null ? null : `${transport}:${senderId}`,
  };
}
