import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { randomBytes } from "node:crypto";
import { errnoOf } from "../errors.js";
import { basename, dirname, join } from "node:path";

/**
 * Creates what is missing of a directory, mode 0700. Rejects with the system's error: where a mkdir is refused with
 * ENOENT, as in /proc, Node's own `recursive` never ends.
 */
export function ensureDirectory(path: string): void {
  if (existsSync(path)) return;
  ensureDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errnoOf(error) !== "EEXIST" || !existsSync(path)) throw error; // else somebody was quicker
  }
}

/**
 * Replaces `path` in one step: a reader sees the old file or the new one, whole, whatever kills this process.
 * The bytes are on disk before the name is. A symbolic link at `path` is replaced, never written through.
 * Rejects with the system's error; the old file is then as it was.
 */
export function writeFileAtomically(path: string, bytes: string, mode = 0o600): void {
  const directory = dirname(path);
  ensureDirectory(directory);
  removeAbandoned(directory, basename(path));
  const scratch = join(directory, scratchName(basename(path)));
  try {
    writeDurably(scratch, bytes, mode);
    renameSync(scratch, path);
  } catch (error) {
    rmSync(scratch, { force: true });
    throw error;
  }
  try {
    syncDirectory(directory);
  } catch {
    // The new file is in place; some network file systems, and a directory one may not list, can't be synced.
  }
}

/** A name beside `name` that says whose scratch it is, so that a later run can clear up after a killed one. */
export function scratchName(name: string): string {
  return `.${name}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
}

const abandonedAfterMs = 300_000;

/** Removes what runs that were killed left beside `name`, as far as it may: another user's scratch is no obstacle. */
export function removeAbandoned(directory: string, name: string): void {
  const prefix = `.${name}.`;
  try {
    for (const entry of readdirSync(directory)) {
      if (!entry.startsWith(prefix)) continue;
      const owner = /^(\d+)\.[0-9a-f]{8}\.tmp$/.exec(entry.slice(prefix.length))?.[1];
      if (owner === undefined) continue;
      const path = join(directory, entry);
      if (!isRunning(Number(owner)) || isOld(path)) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Clearing up after others must not cost a write; the next one tries again.
  }
}

function isRunning(pid: number): boolean {
  if (pid === process.pid) return false; // one write at a time in a process: an old one's, from before a restart
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

function isOld(path: string): boolean {
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changedAt !== undefined && Date.now() - changedAt > abandonedAfterMs;
}

function writeDurably(path: string, bytes: string, mode: number): void {
  const file = openSync(path, "wx", mode & 0o600);
  try {
    const buffer = Buffer.from(bytes);
    for (let at = 0; at < buffer.length;) at += writeSync(file, buffer, at);
    fchmodSync(file, mode);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function syncDirectory(directory: string): void {
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
