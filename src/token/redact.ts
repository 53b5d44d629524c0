import { botTokenPatterns } from "./bot-tokens.js";
import { findJwts } from "./jwt-finder.js";
import { findPemBlocks } from "./key-finder.js";
import { type Find, finderOf, isArbitrary, isMixed, type Range } from "./pattern-finder.js";
import type { Secret } from "./secret.js";
import { readingsOf, type SeenText, withoutSpaces } from "./seen-text.js";

type Detector = { name: string; find: (seen: SeenText) => Iterable<Range> };

/**
 * What must never leave this machine, by its look. GitHub's prefixes take dots and dashes since installation
 * tokens have the form `ghs_<app id>_<JWT>`; lengths are open-ended because GitHub promises none. Each row takes
 * linear time, whatever the text.
 */
export const detectors: readonly Detector[] = [
  { name: "PEM block", find: findPemBlocks },
  { name: "private key without BEGIN", find: finderOf(/MII[A-Za-z0-9+/]{3}IBA[AD][A-Za-z0-9+/=]+/) },
  { name: "PEM block in base64", find: finderOf(/LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]+/) },
  {
    name: "Authorization header",
    find: finderOf(
      /(?<label>authorization["']?\s*[:=]\s*["']?(?:(?:bearer|token|basic)\s*)?)[A-Za-z0-9._~+/=-]{4,}/i,
      ({ secret }) => isArbitrary(secret) || secret.length >= 16,
    ),
  },
  {
    name: "bearer or basic credentials",
    find: finderOf(
      /(?<label>(?:bearer|basic)\s*)[A-Za-z0-9._~+/=-]{8,}/i,
      ({ secret, isWordStart }) => isWordStart && isArbitrary(secret),
    ),
  },
  { name: "GitHub token", find: finderOf(/gh[a-z]_[A-Za-z0-9._-]{8,}/, isPrefixed) },
  { name: "fine-grained token", find: finderOf(/github_pat_[A-Za-z0-9_]{8,}/, isPrefixed) },
  { name: "broker's bearer token", find: finderOf(/ghauthb_[A-Za-z0-9_-]{8,}/, isPrefixed) },
  {
    name: "GitHub token in base64",
    find: finderOf(/(?:eC1hY2Nlc3MtdG9rZW46|Z2h[vwyz1]X)[A-Za-z0-9+/=]{12,}/),
  },
  { name: "JWT", find: findJwts },
  ...Object.entries(botTokenPatterns).map(([chat, pattern]) => ({
    name: `${chat} bot token`,
    find: finderOf(pattern, ({ secret }) => isMixed(secret)),
  })),
  {
    name: "password in a URL",
    // A port at a line's end, and an address in the next line, are none.
    find: finderOf(
      /(?<label>\/\/[^\s/:@?#"\\]+:)[^\s/@?#"\\]+(?=@)/,
      ({ firstLine, isWrapped }) => !(isWrapped && /^\d{1,5}$/.test(firstLine)),
    ),
  },
];

const mark = "[redacted]";
const shortestPiece = 12;

/**
 * `text` without anything that looks like a credential, and without any 12 or more consecutive characters of the
 * `known` secrets: cut, wrapped, encoded, or with control characters in between, as they may be. All is looked for
 * in the original, so that nothing that is found hides something else.
 */
export function redact(text: string, known: readonly Secret[] = []): string {
  const found: Range[] = [];
  const search = (seen: SeenText, find: Detector["find"]) => {
    for (const [start, end] of find(seen)) found.push([seen.starts[start] ?? 0, seen.ends[end - 1] ?? 0]);
  };
  const readings = readingsOf(text);
  for (const seen of readings) for (const { find } of detectors) search(seen, find);

  const values = known.map((secret) => secret.reveal().replaceAll(/\s/g, ""));
  const pieces = piecesOf(values);
  if (pieces.size > 0)
    for (const seen of readings) search(withoutSpaces(seen), (bare) => findPieces(bare.text, pieces));
  for (const short of values) if (short.length < shortestPiece) found.push(...findAll(text, short));
  return replaceAll(text, found);
}

/** Whether what follows a token's prefix is a token: `ghs_token_file` and `highs_and_lows` are names. */
function isPrefixed({ secret, firstLine, isWordStart }: Find): boolean {
  const prefix = /^(?:github_pat|[a-z]+)_/.exec(secret)?.[0] ?? "";
  const body = secret.slice(prefix.length);
  if (!isWordStart) return body.length >= 16 && isMixed(body);
  const isWhole = firstLine.length >= prefix.length + 8 || body.length >= shortestPiece;
  return isWhole && body.length >= 8 && (body.length >= 16 || isArbitrary(body));
}

function piecesOf(values: readonly string[]): ReadonlySet<string> {
  const pieces = new Set<string>();
  for (const value of values)
    for (let at = 0; at + shortestPiece <= value.length; at++)
      pieces.add(value.slice(at, at + shortestPiece));
  return pieces;
}

function* findPieces(text: string, pieces: ReadonlySet<string>): Generator<Range> {
  for (let at = 0; at + shortestPiece <= text.length; at++) {
    if (!pieces.has(text.slice(at, at + shortestPiece))) continue;
    const start = at;
    while (pieces.has(text.slice(at + 1, at + 1 + shortestPiece))) at++;
    yield [start, at + shortestPiece];
  }
}

function* findAll(text: string, word: string): Generator<Range> {
  if (word === "") return;
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length))
    yield [at, at + word.length];
}

/** What overlaps or touches becomes one mark. */
function replaceAll(text: string, ranges: readonly Range[]): string {
  let clean = "";
  let keptUntil = 0;
  let markedUntil = -1;
  for (const [start, end] of ranges.toSorted(([one], [other]) => one - other)) {
    if (start > markedUntil) clean += text.slice(keptUntil, start) + mark;
    markedUntil = Math.max(markedUntil, end);
    keptUntil = markedUntil;
  }
  return clean + text.slice(keptUntil);
}
