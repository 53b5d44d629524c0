import type { CommandBackend, MessageFate } from "../takopi/command-backend.js";
import { redact } from "../token/redact.js";
import { renderPage } from "./page.js";

/** As long as the shortest piece of a token that is taken for one elsewhere. */
const shortestPiece = 12;

/**
 * A token or key in a command is never a way to revoke it: it would be in the chat's history for good. What stands
 * behind `revoke`, which takes no words, is taken for one wherever it is long enough.
 */
export const pastedSecret: NonNullable<CommandBackend["pastedSecret"]> = {
  isIn: ({ args, argsText }) => redact(argsText) !== argsText || isPiece(args),
  answer: (fate) =>
    renderPage({
      title: "That message seems to hold a token or a key. Nothing was run.",
      level: "warn",
      notes: [
        fates[fate],
        "If it is the token that this host holds now, send /ghauth revoke alone: that ends it at GitHub and gets another.",
        "Any other token or key: revoke it where it was issued.",
      ],
      actions: [],
    }),
};

const fates: Record<MessageFate, string> = {
  deleted: "The message was deleted here; whoever has read it, or was notified of it, may still have it.",
  kept: "The message is still there, and may not be deleted from here: delete it yourself.",
  unseen: "Nobody but you has seen it in this chat.",
};

function isPiece([word = "", ...others]: readonly string[]): boolean {
  return word.toLowerCase() === "revoke" && others.some(({ length }) => length >= shortestPiece);
}
