import type { Reply } from "../../takopi/command-backend.js";
import { fitParts, levelMarks, partsOf } from "../reply-parts.js";

/** core.telegram.org/bots/api#sendmessage: 1-4096 characters after entities parsing. */
export const longestMessage = 4_096;

/** A reply in Telegram's HTML: a bold heading, lines, the output's end in a block of its own; never too long, never blank. */
export function renderHtml(reply: Reply, limit = longestMessage): string {
  const parts = partsOf(reply, { renderField: ({ name, value }) => `${name}: ${value}` });
  const mark = parts.heading !== "" && reply.level ? `${levelMarks[reply.level]} ` : "";
  const { heading, body, tail } = fitParts(parts, limit - mark.length);
  const blocks = [
    ...(heading === "" ? [] : [`<b>${mark}${escapeHtml(heading)}</b>`]),
    ...(body.trim() === "" ? [] : [escapeHtml(body)]),
    ...(tail.trim() === "" ? [] : [`<pre>${escapeHtml(tail)}</pre>`]),
  ];
  return blocks.join("\n") || "(nothing to show)";
}

/** Only these three stand for themselves nowhere (core.telegram.org/bots/api#html-style). */
function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
