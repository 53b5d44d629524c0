import { isArbitrary, type Range } from "./pattern-finder.js";
import type { SeenText } from "./seen-text.js";

// Blanks at a line's end went with the break; a key that was cut may lack dashes.
const beginning = String.raw`-{1,5}BEGIN ?[A-Z0-9 ]{0,40}-{1,5}|BEGIN ?[A-Z0-9 ]{0,40}PRIVATE ?KEY-{0,5}`;
const ending = String.raw`-{1,5}END ?[A-Z0-9 ]{0,40}-{0,5}|END ?[A-Z0-9 ]{0,40}PRIVATE ?KEY-{0,5}`;
const line = new RegExp(`(?<begin>${beginning})|(?:${ending})`, "g");

/** Finds PEM blocks: whole ones, what follows a BEGIN that has no END, and what precedes an END that has no BEGIN. */
export function* findPemBlocks({ text }: SeenText): Generator<Range> {
  let begunAt: number | null = null;
  let doneUntil = 0;
  let bodyStart = 0;
  for (const match of text.matchAll(line)) {
    const end = match.index + match[0].trimEnd().length;
    if (match.groups?.["begin"] !== undefined) {
      begunAt ??= match.index;
      bodyStart = end;
      continue;
    }
    const start: number | null =
      begunAt === null
        ? startOfBody(text, doneUntil, match.index)
        : endOfBody(text.slice(bodyStart, match.index)) && begunAt;
    if (start !== null) yield [start, end];
    begunAt = null;
    doneUntil = end;
  }
  const bodyLength = begunAt === null ? null : endOfBody(text.slice(bodyStart));
  if (begunAt !== null && bodyLength !== null) yield [begunAt, bodyStart + bodyLength];
}

const isBase64 = /[A-Za-z0-9+/=]/;
const shortestLine = 12;

/** Where the base64 before `end` begins, going back over lines that a blank parts; null where there is none. */
function startOfBody(text: string, floor: number, end: number): number | null {
  let found: number | null = null;
  let at = end;
  for (let isLast = true; ; isLast = false) {
    const wordEnd = at;
    while (at > floor && isBase64.test(text.charAt(at - 1))) at--;
    const word = text.slice(at, wordEnd);
    const isBody = word.length >= shortestLine && isArbitrary(word);
    if (isBody) found = at;
    else if (!isLast) break;
    if (at > floor && /\s/.test(text.charAt(at - 1))) at--;
    else break;
  }
  return found;
}

/** Where the last base64 in what follows a BEGIN ends; null where there is none, as in a sentence. */
function endOfBody(text: string): number | null {
  let end: number | null = null;
  for (const { 0: word, index } of text.matchAll(/[A-Za-z0-9+/=]+/g)) {
    const isFirst = index === 0 && (word.startsWith("MII") || /\d|[a-z][A-Z]/.test(word));
    if (isFirst || (word.length >= shortestLine && isArbitrary(word))) end = index + word.length;
  }
  return end;
}
