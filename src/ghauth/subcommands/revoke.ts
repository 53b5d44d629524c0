import { GhauthError } from "../../errors.js";
import { type CommandContext, terminalChannel } from "../../takopi/command-backend.js";
import { renderPage } from "../page.js";
import { requesterOf } from "../requester.js";
import { confirmWithinSeconds } from "../revoke-asked.js";
import { showRun } from "../show-run.js";
import type { Call, Subcommand } from "../subcommand.js";

/** In a chat no word that begins with a dash arrives: there, one asks twice. */
const confirmed = "--yes";

export const revoke: Subcommand = {
  name: "revoke",
  summary: "end the token at GitHub, for whoever has it, and get another",
  restricted: true,
  checkWords,
  run: async (call) => {
    const { context, config, words, manualRefresh, clock, revokeAsked } = call;
    checkWords(words);
    const who = askerOf(context);
    if (!words.includes(confirmed) && !revokeAsked.confirm(who, clock.now()))
      return askAgain(call, revokeAsked.ask(who, clock.now()));
    return showRun(call, {
      started: manualRefresh.revoke(config, requesterOf(context)),
      says: "Revoking the GitHub token…",
      saysJoined: "A revoke is already running: waiting for it…",
    });
  },
};

function checkWords(words: readonly string[]): void {
  if (words.every((word) => word === confirmed)) return;
  throw new GhauthError("usage", "revoke takes no words: it revokes the token that this host holds.");
}

/** Who must ask again: the same sender, or where a transport names none, the same chat. */
function askerOf({ transport, message: { channelId, senderId } }: CommandContext): string {
  return senderId === null ? `channel:${channelId}` : `${transport ?? "chat"}:${senderId}`;
}

function askAgain({ hostName, isBrief, context }: Call, complaint: string | null) {
  const isTerminal = context.message.channelId === terminalChannel;
  const how = isTerminal ? "enter /ghauth revoke" : "press Revoke, or send /ghauth revoke";
  const forgets = isBrief && complaint !== null;
  return renderPage({
    title: `Revoke the GitHub token${hostName === null ? "" : ` of ${hostName}`}?`,
    level: "warn",
    notes: [
      "It ends at once, for whoever has it; then another is minted and published.",
      "Agents that were given it in their environment are refused until they take the new one.",
      "Tokens that it has replaced within the last hour live until their hour is over.",
      forgets
        ? `That you have asked cannot be written down (${complaint}): run ghauth revoke on the host.`
        : `To confirm, ${how} again within ${confirmWithinSeconds} s.`,
    ],
    actions: forgets ? [] : ["revoke"],
  });
}
