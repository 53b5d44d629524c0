import { closeSync, constants, fstatSync, lstatSync, openSync, rmSync, type Stats } from "node:fs";
import { errnoOf } from "../errors.js";

const pollMs = 5;
/** Whoever does work of milliseconds and has held its lock for this long was killed. */
const abandonedAfterMs = 2_000;
const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/**
 * Does work of milliseconds on a file while nobody else does it: `path` exists meanwhile. It starts no other program,
 * as flock(2) would in Node, and holds between containers that share a directory. Where no lock can be made, or a
 * killed holder's cannot be removed, the work is done all the same.
 */
export function withBriefLock<T>(path: string, work: () => T): T {
  const lock = takeLock(path);
  try {
    return work();
  } finally {
    if (lock !== null) release(path, lock);
  }
}

/** The descriptor of the lock that was made, or null. */
function takeLock(path: string): number | null {
  let seen: Stats | undefined;
  let seenSince = process.uptime();
  for (;;) {
    try {
      return openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
    } catch (error) {
      if (errnoOf(error) !== "EEXIST") return null;
    }
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!isSame(found, seen)) [seen, seenSince] = [found, process.uptime()];
    if ((process.uptime() - seenSince) * 1000 < abandonedAfterMs) pause(pollMs);
    else if (!remove(path)) return null;
  }
}

/** Somebody may have thought us dead, and have made a lock of their own. */
function release(path: string, lock: number): void {
  if (isSame(lstatSync(path, { throwIfNoEntry: false }), fstatSync(lock))) remove(path);
  closeSync(lock);
}

function isSame(one: Stats | undefined, other: Stats | undefined): boolean {
  return one?.ino === other?.ino && one?.ctimeMs === other?.ctimeMs;
}

function remove(path: string): boolean {
  try {
    rmSync(path);
    return true;
  } catch (error) {
    return errnoOf(error) === "ENOENT";
  }
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
