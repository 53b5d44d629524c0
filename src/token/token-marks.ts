import { readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { errnoOf } from "../errors.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { readRegularFile } from "../files/regular-file.js";
import type { Secret } from "./secret.js";

/**
 * Whether GitHub refused this token, as git's `erase` marked it: a file in `directory`, named by the token's SHA-256 in
 * hex. Another token's mark says nothing about this one.
 */
export function isRefused(token: Secret, directory: string): boolean {
  return refusedSince(token, directory) !== null;
}

/** When a token was marked as refused; null where it was not. */
export function refusedSince(token: Secret, directory: string): Date | null {
  const marked = fileTime(markOf(token, directory));
  if (marked !== null || readSingleMark(directory) !== token.sha256) return marked;
  return fileTime(singleMarkOf(directory));
}

/** Marks a token as refused; one that is to be revoked stays so. Throws the system's error. */
export function markRefused(token: Secret, directory: string): void {
  if (!isToBeRevoked(token, directory)) writeFileAtomically(markOf(token, directory), "");
}

const toBeRevoked = "revoke";

/** Marks a token as one that is still to be revoked at GitHub, and that nobody is to use. Throws the system's error. */
export function markToBeRevoked(token: Secret, directory: string): void {
  writeFileAtomically(markOf(token, directory), toBeRevoked);
}

/** Marks a token as one that GitHub has revoked: it is as any refused one. Throws the system's error. */
export function markRevoked(token: Secret, directory: string): void {
  writeFileAtomically(markOf(token, directory), "");
}

export function isToBeRevoked(token: Secret, directory: string): boolean {
  return readMark(markOf(token, directory)) === toBeRevoked;
}

/** Where the mark of a token lies. */
export function markOf(token: Secret, directory: string): string {
  return join(directory, token.sha256);
}

/** Takes a token's mark away, for it was tried and works. Throws the system's error. */
export function forgetRefusal(token: Secret, directory: string): void {
  rmSync(markOf(token, directory), { force: true });
  if (readSingleMark(directory) === token.sha256) rmSync(singleMarkOf(directory), { force: true });
}

const keptMs = 2 * 60 * 60_000; // a token lives one hour

/** Removes the marks that no token can need any more, as far as it may: the next one who marks or publishes tries again. */
export function sweepRefusals(directory: string, now: Date): void {
  for (const path of [...listMarks(directory), singleMarkOf(directory)]) {
    try {
      const markedAt = fileTime(path);
      if (markedAt && now.getTime() - markedAt.getTime() > keptMs) rmSync(path, { force: true });
    } catch {
      // not ours to remove, or gone already
    }
  }
}

function listMarks(directory: string): string[] {
  try {
    return readdirSync(directory).map((name) => join(directory, name));
  } catch {
    return []; // nothing was marked yet
  }
}

/** When a file was written; null where there is none. */
function fileTime(path: string): Date | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats?.isFile() === true ? stats.mtime : null;
  } catch (error) {
    // A mark that this user cannot look at is not one that git's helper left for this user: no reason to fail.
    if (saysNothing.has(errnoOf(error) ?? "")) return null;
    throw error;
  }
}

const saysNothing = new Set(["ENOENT", "ENOTDIR", "ENOTREG", "EACCES"]);

/** Up to 0.1.0 one file held the hash of the one token that was marked last. */
function singleMarkOf(directory: string): string {
  return join(dirname(directory), "refused-token");
}

function readSingleMark(directory: string): string | null {
  return readMark(singleMarkOf(directory));
}

function readMark(path: string): string | null {
  try {
    return readRegularFile(path).text.trim();
  } catch (error) {
    if (saysNothing.has(errnoOf(error) ?? "")) return null;
    throw error;
  }
}
