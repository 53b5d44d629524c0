import { closeSync, fchmodSync, mkdirSync, openSync, readFileSync, writeSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf } from "../errors.js";
import { writeFileAtomically } from "./atomic-file.js";

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

/** Adds a line to the refresh log (mode 0600) and keeps the newest 1,000. Rejects with the system's error. */
export function appendRefreshLog(path: string, entry: RefreshLogEntry): void {
  const text = readText(path);
  const lines = [...linesOf(text), JSON.stringify(entry)];
  if (lines.length > keptLines) {
    writeFileAtomically(path, `${lines.slice(-keptLines).join("\n")}\n`);
    return;
  }
  // A line that a full disk tore must not take the next one with it.
  const separator = text === "" || text.endsWith("\n") ? "" : "\n";
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, "a", 0o600);
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
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw error;
  }
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
  const { at, ok, sentence, trigger } = value as Partial<Record<keyof RefreshLogEntry, unknown>>;
  return (
    typeof at === "string" &&
    typeof ok === "boolean" &&
    typeof sentence === "string" &&
    typeof trigger === "string"
  );
}
