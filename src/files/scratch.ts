import { randomBytes } from "node:crypto";
import { lstatSync, readdirSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.js";

/** A name beside `name` for what is written before it takes that name's place. */
export function scratchName(name: string): string {
  return `.${name}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
}

/** No write takes that long; and a younger one may be that of a container in which other processes are seen. */
const abandonedAfterMs = 5 * 60_000;

/**
 * Removes the files that runs that were killed left beside `name`, as far as it may: another user's scratch is no
 * obstacle. A directory goes only where `kind` says that the scratch is one: settings may name any place.
 */
export function removeAbandoned(directory: string, name: string, kind: "file" | "directory" = "file"): void {
  const prefix = `.${name}.`;
  try {
    for (const entry of readdirSync(directory)) {
      if (!entry.startsWith(prefix) || !/^\d+\.[0-9a-f]{8}\.tmp$/.test(entry.slice(prefix.length))) continue;
      const path = join(directory, entry);
      if (isAbandoned(path, kind)) rmSync(path, { recursive: kind === "directory", force: true });
    }
  } catch {
    // Clearing up after others must not cost a write; the next one tries again.
  }
}

function isAbandoned(path: string, kind: "file" | "directory"): boolean {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory() !== (kind === "directory")) return false;
  return Date.now() - stats.mtimeMs > abandonedAfterMs;
}

/** Removes a scratch file; in a directory from which nothing can be removed it is emptied. Never throws. */
export function discardScratch(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    empty(path);
  }
}

function empty(path: string): void {
  try {
    truncateSync(path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") return; // there is no more that this user may do
  }
}
