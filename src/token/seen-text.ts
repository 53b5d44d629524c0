/**
 * Text as a reader puts it together from what was printed: without codes, breaks and encodings, but knowing where
 * each of its characters stood in the original.
 */
export type SeenText = {
  text: string;
  /** The place in the original of each character of `text`, and where it ended there. */
  starts: Int32Array;
  ends: Int32Array;
  /** 1 where a line break stood before the character. */
  breaks: Uint8Array;
};

/**
 * Every way in which `original` can be read: with terminal sequences taken out or left in, and each of these as
 * printed and decoded. Control characters and line breaks are taken out of all. Takes linear time.
 */
export function readingsOf(original: string): SeenText[] {
  const readings = new Set<SeenText>();
  for (const printed of joined(asPrinted(original))) {
    readings.add(printed);
    for (const decoded of joined(decode(printed))) readings.add(decoded);
  }
  return [...readings];
}

/** The same without any white space: only what is known can be told from words that were run together. */
export function withoutSpaces(seen: SeenText): SeenText {
  return rewrite(seen, { pattern: /\s+/g });
}

/** Each match becomes one character, or none. */
type Edit = { pattern: RegExp; toCharacter?: (match: RegExpExecArray) => string; isLineBreak?: boolean };

// None scans the same stretch from several starts, which would take quadratic time: a lookbehind or a bound sees to it.
/* oxlint-disable no-control-regex -- control characters are what is taken out */
const sequences: Edit = {
  pattern:
    /(?:\u001B[\]PX^_]|\u009D)[^\u0007\u001B\u009C\u009D]*(?:\u0007|\u001B\\|\u009C)|(?:\u001B\[|\u009B)[0-?]*[ -/]*[@-~]|\u001B[ -/]*[0-OQ-WYZ\\`-~]/g,
};
const sequenceStart = /[\u001B\u009B\u009D]/;
/** What a reader does not see: control characters, and those that Unicode says are not shown. */
const controls: Edit = {
  pattern: /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u007F-\u009F\p{Default_Ignorable_Code_Point}\uFFFD]+/gu,
};
/* oxlint-enable no-control-regex */
const lineBreaks: Edit = {
  pattern: /(?<!\s)[^\S\r\n\u2028\u2029]*[\r\n\u2028\u2029]\s*/g,
  isLineBreak: true,
};
/** The backslash by which a shell goes on in the next line; it may as well begin what was wrapped, as `\n`. */
const continuations: Edit = { pattern: /\\(?=[^\S\r\n]*[\r\n])/g };
/** Percent-encoded any number of times: `%41`, `%2541`. */
const percents: Edit = {
  pattern: /%(?:25)*([0-9A-Fa-f]{2})/g,
  toCharacter: ([, hex]) => charOf(hex),
};
/** As in JSON and shell strings, quoted any number of times: `\n`, `\\u0041`. */
const backslashes: Edit = {
  pattern: /(?<!\\)\\+(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([nrt/"]))/g,
  toCharacter: ([, unicode, byte, letter = ""]) =>
    letter === "" ? charOf(unicode ?? byte) : (meanings[letter] ?? letter),
};
const meanings: Record<string, string> = { n: "\n", r: "\r", t: "\t" };

function charOf(hex = "0"): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}

function asPrinted(text: string): SeenText {
  const starts = Int32Array.from({ length: text.length }, (_, at) => at);
  return { text, starts, ends: starts.map((at) => at + 1), breaks: new Uint8Array(text.length) };
}

/**
 * What looks like a terminal sequence may be the head of a secret, and a sequence may itself have been wrapped: all
 * these readings count.
 */
function joined(seen: SeenText): SeenText[] {
  const lines = [...new Set(withoutSequences(seen))]
    .map((reading) => rewrite(reading, controls))
    .flatMap((reading) => [reading, rewrite(reading, continuations)]);
  return [...new Set(lines)].map((reading) => rewrite(reading, lineBreaks));
}

function withoutSequences(seen: SeenText): SeenText[] {
  if (!sequenceStart.test(seen.text)) return [seen];
  const bare = rewrite(seen, sequences);
  const unwrapped = rewrite(rewrite(bare, lineBreaks), sequences);
  return [seen, bare, rewrite(rewrite(unwrapped, lineBreaks), sequences)];
}

function decode(seen: SeenText): SeenText {
  return rewrite(rewrite(seen, percents), backslashes);
}

function rewrite(seen: SeenText, { pattern, toCharacter, isLineBreak = false }: Edit): SeenText {
  const matches = seen.text.matchAll(pattern);
  let next = matches.next();
  if (next.done) return seen;
  const starts = new Int32Array(seen.text.length);
  const ends = new Int32Array(seen.text.length);
  const breaks = new Uint8Array(seen.text.length);
  const parts: string[] = [];
  let length = 0;
  let afterBreak = 0;
  const put = (from: number, to: number) => {
    starts[length] = seen.starts[from] ?? 0;
    ends[length] = seen.ends[to] ?? 0;
    breaks[length] = afterBreak | (seen.breaks[from] ?? 0);
    afterBreak = 0;
    length++;
  };
  let at = 0;
  const keepUntil = (end: number) => {
    parts.push(seen.text.slice(at, end));
    for (; at < end; at++) put(at, at);
  };
  for (; !next.done; next = matches.next()) {
    const match = next.value;
    const end = match.index + match[0].length;
    keepUntil(match.index);
    const character = toCharacter?.(match) ?? "";
    parts.push(character);
    if (character !== "") put(at, end - 1);
    else if (isLineBreak || seen.breaks.subarray(at, end).includes(1)) afterBreak = 1;
    at = end;
  }
  keepUntil(seen.text.length);
  return {
    text: parts.join(""),
    starts: starts.subarray(0, length),
    ends: ends.subarray(0, length),
    breaks: breaks.subarray(0, length),
  };
}
