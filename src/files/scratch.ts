import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.js";

/** A name beside `name` for what is written before it takes that name's place. */
export function scratchName(name: string): string {
  return `.${name}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`;
}

/** No write takes that long; and a younger one may be that of a container in which other processes are seen. */
const abandonedAfterMs = 5 * 60_000;

/** Removes what runs that were killed left beside `name`, as far as it may: another user's scratch is no obstacle. */
export function removeAbandoned(directory: string, name: string): void {
  const prefix = `.${name}.`;
  try {
    for (const entry of readdirSync(directory)) {
      if (!entry.startsWith(prefix) || !/^\d+\.[0-9a-f]{8}\.tmp$/.test(entry.slice(prefix.length))) continue;
      const path = join(directory, entry);
      if (isAbandoned(path)) rmSync(path, { recursive: true, force: true });
    }
  } catch {
    // Clearing up after others must not cost a write; the next one tries again.
  }
}

function isAbandoned(path: string): boolean {
  const changedAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return changedAt !== undefined && Date.now() - changedAt > abandonedAfterMs;
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
