import {
  closeSync,
  existsSync,
  fchmodSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { errnoOf } from "../errors.js";
import { discardScratch, removeAbandoned, scratchName } from "./scratch.js";

/**
 * Creates what is missing of a directory, mode 0700. Throws the system's error: where a mkdir is refused with
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
 * Throws the system's error; the old file is then as it was.
 */
export function writeFileAtomically(path: string, bytes: string, mode = 0o600): void {
  const directory = dirname(path);
  ensureDirectory(directory);
  removeAbandoned(directory, basename(path));
  try {
    replace(path, { bytes, mode });
  } catch (error) {
    if (!isScratchLost(error)) throw error;
    replace(path, { bytes, mode });
  }
  try {
    syncDirectory(directory);
  } catch {
    // The new file is in place; some network file systems, and a directory one may not list, can't be synced.
  }
}

/** Whether somebody who takes it for rubbish removed the scratch file before it got its name. */
export function isScratchLost(error: unknown): boolean {
  return (
    error instanceof Error && "syscall" in error && error.syscall === "rename" && errnoOf(error) === "ENOENT"
  );
}

function replace(path: string, { bytes, mode }: { bytes: string; mode: number }): void {
  const scratch = join(dirname(path), scratchName(basename(path)));
  try {
    writeDurably(scratch, bytes, mode);
    renameSync(scratch, path);
  } catch (error) {
    discardScratch(scratch);
    throw error;
  }
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
