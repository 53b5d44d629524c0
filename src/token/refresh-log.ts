import { closeSync, constants, fchmodSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { openRegularFile, readIfThere } from "../files/regular-file.js";
import { ensureDirectory, writeFileAtomically } from "../files/atomic-file.js";
import { withBriefLock } from "../files/brief-lock.js";

/** One attempt to refresh: `ms` it took, `code` and `exit` of a failure (`refreshed` and 0 otherwise), `sha256` the token's first 8 hex digits. */
export type RefreshLogEntry = {
  at: string;
  trigger: string;
  ok: boolean;
  ms: number;
  code: string;
  exit: number;
  sentence: string;
  expires_at: string | null;
  sha256: string | null;
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

function readText(path: string): string {
  return readIfThere(path, largestLog)?.text ?? "";
}

function linesOf(text: string): string[] {
  return text.split("\n").filter(Boolean);
}

function parseEntry(line: string): RefreshLogEntry | null {
  try {
    const entry: unknown = JSON.parse(line);
    return isEntry(entry) ? entry : null;
  } catch {
    return null; // a line torn by a full disk says nothing
  }
}

function isEntry(value: unknown): value is RefreshLogEntry {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof RefreshLogEntry, unknown>>;
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

function isInstant(value: unknown): boolean {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
}

function isWord(value: unknown): boolean {
  return typeof value === "string" && /^[a-z][a-z0-9_-]{0,63}$/.test(value);
}
