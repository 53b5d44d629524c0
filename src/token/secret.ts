import { createHash } from "node:crypto";
import { inspect } from "node:util";
import { botTokenPatterns } from "./bot-tokens.js";

/** A string that cannot print itself: only `reveal()` gives it, where bytes leave for a header, a file or a child's stdin. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** The first 8 hex digits of its SHA-256: enough to tell two tokens apart, useless for anything else. */
  get fingerprint(): string {
    return this.sha256.slice(0, 8);
  }

  /** Its SHA-256 in hex. */
  get sha256(): string {
    return createHash("sha256").update(this.#value).digest("hex");
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}

const mark = "[redacted]";

/**
 * What must never leave this machine, by its look. GitHub's prefixes take dots and dashes since installation
 * tokens have the form `ghs_<app id>_<JWT>`; lengths are open-ended because GitHub promises none.
 */
const patterns: [RegExp, string][] = [
  [/-----BEGIN [A-Z0-9 ]+-----[\s\S]*?(?:-----END [A-Z0-9 ]+-----|$)/g, mark],
  [/LS0tLS1CRUdJTi[A-Za-z0-9+/=_-]+/g, mark],
  [
    /\b(authorization|proxy-authorization)(["']?\s*[:=]\s*["']?)(?:(?:bearer|token|basic)\s+)?[^\s"']+/gi,
    `$1$2${mark}`,
  ],
  [/\b(bearer|basic)\s+(?!\[redacted\])[A-Za-z0-9._~+/=-]{8,}/gi, `$1 ${mark}`],
  [/gh[a-z]_[A-Za-z0-9._-]{8,}/g, mark],
  [/github_pat_[A-Za-z0-9_]{8,}/g, mark],
  [/ghauthb_[A-Za-z0-9_-]{8,}/g, mark], // our broker's bearer tokens
  ...Object.values(botTokenPatterns).map((pattern): [RegExp, string] => [new RegExp(pattern, "g"), mark]),
  [/(\/\/[^\s/:@]+:)[^\s/@]+(@)/g, `$1${mark}$2`],
];

const shortestPiece = 12;

/**
 * `text` without anything that looks like a credential, and without any 12 or more consecutive characters of
 * the `known` secrets, however they were cut or wrapped.
 */
export function redact(text: string, known: readonly Secret[] = []): string {
  let clean = known.reduce((rest, secret) => redactPieces(rest, secret.reveal()), text);
  clean = redactEndOfKey(clean);
  for (const [pattern, replacement] of patterns) clean = clean.replace(pattern, replacement);
  return redactJwts(clean);
}

/** JWTs are looked for in runs that are taken whole: from each `eyJ` anew would take quadratic time. */
function redactJwts(text: string): string {
  return text.replace(/(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+/g, (run) => {
    const isJwt = run
      .split(".")
      .slice(0, -1)
      .some((part) => part.includes("eyJ") && part.length - part.indexOf("eyJ") >= shortestHeader);
    return isJwt ? mark : run;
  });
}

const shortestHeader = 11;

/** A key whose beginning was cut off shows itself by its end; looking back from there takes linear time. */
function redactEndOfKey(text: string): string {
  let clean = "";
  let keptUntil = 0;
  for (const { 0: end, index } of text.matchAll(/-----END [A-Z0-9 ]+-----/g)) {
    let start = index;
    while (start > keptUntil && /[A-Za-z0-9+/=\s\\]/.test(text.charAt(start - 1))) start--;
    if (text.charAt(start - 1) === "-") continue; // whole: the pattern for keys takes it
    const bodyStart = start + (/^\S*\s/.exec(text.slice(start, index))?.[0].length ?? 0);
    clean += text.slice(keptUntil, Math.min(bodyStart, index)) + mark;
    keptUntil = index + end.length;
  }
  return clean + text.slice(keptUntil);
}

function redactPieces(text: string, secret: string): string {
  if (secret.length < shortestPiece) return secret === "" ? text : text.replaceAll(secret, mark);
  const pieces = new Set<string>();
  for (let at = 0; at + shortestPiece <= secret.length; at++)
    pieces.add(secret.slice(at, at + shortestPiece));

  let clean = "";
  let keptUntil = 0;
  for (let at = 0; at + shortestPiece <= text.length; at++) {
    if (!pieces.has(text.slice(at, at + shortestPiece))) continue;
    let end = at + shortestPiece;
    while (end < text.length && pieces.has(text.slice(end - shortestPiece + 1, end + 1))) end++;
    clean += text.slice(keptUntil, at) + mark;
    keptUntil = end;
    at = end - 1;
  }
  return clean + text.slice(keptUntil);
}
