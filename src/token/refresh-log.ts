import { closeSync, constants, fchmodSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { GhauthError, messageOf } from "../errors.js";
import { isObject, parseJson } from "../files/json.js";
import { openRegularFile, readIfThere } from "../files/regular-file.js";
import { ensureDirectory, writeFileAtomically } from "../files/atomic-file.js";
import { withBriefLock } from "../files/brief-lock.js";

/** How often an App may still call GitHub within the hour that ends at `reset_at`, an instant on this host's clock. */
export type RateLimit = { limit: number; remaining: number; reset_at: string };

/** One attempt to refresh: `ms` it took, `code` and `exit` of a failure (`refreshed` and 0 otherwise), `sha256` the token's first 8 hex digits. */
export type RefreshLogEntry = {
  at: string;
  trigger: string;
  /** Whoever asked, as `transport:sender id`; null where nobody in particular did. */
  by: string | null;
  ok: boolean;
  ms: number;
  code: string;
  exit: number;
  sentence: string;
  expires_at: string | null;
  sha256: string | null;
  /** What GitHub told when the new token was tried. */
  rate_limit: RateLimit | null;
  /** Since when the token that was replaced was known to be refused, if it was. */
  refused_at: string | null;
};

const keptLines = 1000;
const largestLog = 16 * 1_048_576;
const { O_APPEND, O_CREAT, O_NOFOLLOW, O_WRONLY } = constants;
const appending = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW; // not through a link, to a file that is not the log

/**
 * Adds a line to the refresh log (mode 0600) and keeps the newest 1,000, under a lock of its own: runs that never got
 * as far as the refresh lock write here too. Throws the system's error.
 */
export function appendRefreshLog(path: string, entry: RefreshLogEntry): void {
  ensureDirectory(dirname(path));
  withBriefLock(`${path}.lock`, () => append(path, entry));
}

function append(path: string, entry: RefreshLogEntry): void {
  const text = readText(path);
  const lines = [...linesOf(text), JSON.stringify(entry)];
  if (lines.length > keptLines) {
    writeFileAtomically(path, `${lines.slice(-keptLines).join("\n")}\n`);
    return;
  }
  // A line that a full disk tore must not take the next one with it.
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  const { file } = openRegularFile(path, { flags: appending });
  try {
    fchmodSync(file, 0o600);
    writeSync(file, `${separator}${JSON.stringify(entry)}\n`);
  } finally {
    closeSync(file);
  }
}

/** The newest readable entry of the refresh log, or null; a damaged line is passed over. */
export function readLastRefresh(path: string): RefreshLogEntry | null {
  for (const line of linesOf(readText(path)).toReversed()) {
    const entry = parseEntry(line);
    if (entry) return entry;
  }
  return null;
}

/** All readable entries of the refresh log, oldest first. Throws `file_unusable`. */
export function readRefreshLog(path: string): RefreshLogEntry[] {
  try {
    return linesOf(readText(path)).flatMap((line) => parseEntry(line) ?? []);
  } catch (cause) {
    const sentence = `The refresh log ${path} cannot be read: ${messageOf(cause)}. Correct its owner and mode.`;
    throw new GhauthError("file_unusable", sentence, { cause });
  }
}

function readText(path: string): string {
  return readIfThere(path, largestLog)?.text ?? "";
}

function linesOf(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

function parseEntry(line: string): RefreshLogEntry | null {
  const entry = parseJson(line); // a line torn by a full disk says nothing
  if (!isObject(entry) || !isAttempt(entry)) return null;
  const { by, rate_limit, refused_at } = entry;
  return {
    ...entry,
    by: isRequester(by) ? by : null,
    rate_limit: isRateLimit(rate_limit) ? rate_limit : null,
    refused_at: isInstant(refused_at) ? refused_at : null,
  };
}

/** What lines have had from the beginning; what came later is null in an older one. */
type Attempt = Omit<RefreshLogEntry, keyof Later>;
type Later = { by?: unknown; rate_limit?: unknown; refused_at?: unknown };

function isAttempt(value: object): value is Attempt & Later {
  const entry: Partial<Record<keyof Attempt, unknown>> = value;
  return (
    isInstant(entry.at) &&
    typeof entry.ok === "boolean" &&
    typeof entry.ms === "number" &&
    typeof entry.exit === "number" &&
    isWord(entry.trigger) &&
    isWord(entry.code) &&
    typeof entry.sentence === "string" &&
    (entry.expires_at === null || isInstant(entry.expires_at)) &&
    (entry.sha256 === null || (typeof entry.sha256 === "string" && /^[0-9a-f]{8}$/.test(entry.sha256)))
  );
}

/** Whether a value says who asked: a transport's name and an id there. */
export function isRequester(value: unknown): value is string {
  return typeof value === "string" && /^[a-z][a-z0-9_-]{0,31}:[\w.@:+-]{1,64}$/.test(value);
}

function isRateLimit(value: unknown): value is RateLimit {
  return (
    isObject(value) &&
    Number.isSafeInteger(value["limit"]) &&
    Number.isSafeInteger(value["remaining"]) &&
    isInstant(value["reset_at"])
  );
}

function isInstant(value: unknown): value is string {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z0-9_-]{0,63}$/.test(value);
}
