import type { SeenText } from "./seen-text.js";

/** Where something begins, and where it has ended. */
export type Range = readonly [start: number, end: number];

/** What a pattern found: the secret, as much of it as its first line has, and whether it begins a word. */
export type Find = { secret: string; firstLine: string; isWrapped: boolean; isWordStart: boolean };

/**
 * A search of `seen.text` for a pattern, whose group `label` (at its beginning, if any) stays. A match that
 * `accepts` refuses is no secret.
 */
export function finderOf(pattern: RegExp, accepts: (find: Find) => boolean = () => true) {
  return function* (seen: SeenText): Generator<Range> {
    const search = new RegExp(pattern, `${pattern.flags.replace("g", "")}g`);
    for (let match = search.exec(seen.text); match; match = search.exec(seen.text)) {
      const label = match.groups?.["label"] ?? "";
      const start = match.index + label.length;
      const matchEnd = match.index + match[0].length;
      const end = endOfSecret(seen, start, matchEnd);
      const secret = seen.text.slice(start, end);
      const lineEnd = firstBreak(seen, start, matchEnd);
      const firstLine = seen.text.slice(start, Math.min(lineEnd, end));
      const isWordStart = isAtWordStart(seen, start);
      if (accepts({ secret, firstLine, isWrapped: lineEnd < matchEnd, isWordStart })) yield [start, end];
      // Its last line may hold the head of another.
      search.lastIndex = Math.max(matchEnd, match.index + 1);
      const lastLine = lastBreak(seen, match.index, matchEnd);
      if (lastLine > match.index) search.lastIndex = lastLine;
    }
  };
}

/** Whether text is hardly made of words: it has a digit, capitals after small letters, or no end. */
export function isArbitrary(text: string): boolean {
  return text.length >= 24 || /\d/.test(text) || (text.length >= 12 && /[a-z][A-Z]/.test(text));
}

/** Whether text has small letters and capitals, as all encoded bytes of some length have. */
export function isMixed(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text);
}

const shortestLeak = 12;

/**
 * A secret may have been wrapped, or ended with its line: then the next line's beginning looks like more of it. Words
 * there are left, as long as no 12 characters of a secret can be among them, and so are names before `=` or `:` and dates.
 */
export function endOfSecret(seen: SeenText, start: number, matchEnd: number): number {
  let end = matchEnd;
  for (;;) {
    const lineStart = lastBreak(seen, start, end);
    if (lineStart <= start) break;
    const piece = seen.text.slice(lineStart, end);
    const isName = end === matchEnd && nameOrDate.test(piece + seen.text.charAt(end));
    const isWord = /^[A-Z]?[a-z]+[.!]?$/.test(piece) && matchEnd - lineStart < shortestLeak;
    if (!isName && !isWord) break;
    end = lineStart;
  }
  while (end > start && seen.text.charAt(end - 1) === ".") end--;
  return end;
}

const nameOrDate =
  /^(?:(?:[A-Z]?[a-z]+|[A-Z]+)(?:[-_](?:[A-Z]?[a-z]+|[A-Z]+))*(?:[:=/]$|=[A-Za-z0-9])|\d{4}-\d\d-\d\d|HTTP\/\d)/;

function lastBreak({ breaks }: SeenText, start: number, end: number): number {
  let at = end - 1;
  while (at > start && breaks[at] === 0) at--;
  return at;
}

function firstBreak({ breaks }: SeenText, start: number, end: number): number {
  let at = start + 1;
  while (at < end && breaks[at] === 0) at++;
  return Math.min(at, end);
}

function isAtWordStart({ text, breaks }: SeenText, at: number): boolean {
  return at === 0 || breaks[at] === 1 || !/[A-Za-z0-9]/.test(text.charAt(at - 1));
}
