import type { Reply, ReplyField } from "../takopi/command-backend.js";

/** A reply as chats show it: a heading, lines, and the end of a program's output. */
export type ReplyParts = { heading: string; body: string; tail: string };

/** The parts of a reply; one that has only its text is all body. `escape` is for what is to be shown as it is. */
export function partsOf(
  reply: Reply,
  {
    renderField,
    escape = (text) => text,
  }: { renderField: (field: ReplyField) => string; escape?: (text: string) => string },
): ReplyParts {
  const { title, strip = "", fields = [], notes = [], tail = "" } = reply;
  if (title === undefined) return { heading: "", body: escape(reply.text), tail };
  const lines = [
    ...(strip === "" ? [] : [strip]),
    ...fields.map((field) => renderField(field)),
    ...notes.map((note) => `• ${escape(note)}`),
  ];
  return { heading: title, body: lines.join("\n"), tail };
}

/** Cuts parts to `limit` characters together: the tail gives way first, from its beginning, then the body's end. */
export function fitParts({ heading, body, tail }: ReplyParts, limit: number): ReplyParts {
  const shortHeading = cutEnd(heading, Math.min(256, limit));
  const forBody = limit - shortHeading.length - 2;
  const shortBody = cutEnd(body, forBody);
  return { heading: shortHeading, body: shortBody, tail: cutStart(tail, forBody - shortBody.length - 2) };
}

/** The first `limit` characters (UTF-16 units, as Telegram and Discord count), never half of one. */
export function cutEnd(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return limit < 1 ? "" : `${text.slice(0, limit - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
}

function cutStart(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return limit < 1 ? "" : `…${text.slice(1 - limit || text.length).replace(/^[\uDC00-\uDFFF]/, "")}`;
}

export const levelMarks = { ok: "✅", warn: "⚠️", error: "❌" } as const;
