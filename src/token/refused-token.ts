import { createHash } from "node:crypto";
import { errnoOf } from "../errors.js";
import { readRegularFile } from "../files/regular-file.js";
import type { Secret } from "./secret.js";

/**
 * Whether GitHub refused this token, as `git-credential-ghauth erase` marked it: the file at `markPath` holds the
 * SHA-256 of the refused token in hex. Another token's mark says nothing about this one.
 */
export function isRefused(token: Secret, markPath: string): boolean {
  return readMark(markPath) === createHash("sha256").update(token.reveal()).digest("hex");
}

const saysNothing = new Set(["ENOENT", "ENOTDIR", "ENOTREG", "EACCES"]);

/** A mark that this user cannot read is not one that git's helper left for this user: no reason to fail. */
function readMark(path: string): string | null {
  try {
    return readRegularFile(path).text.trim();
  } catch (error) {
    if (saysNothing.has(errnoOf(error) ?? "")) return null;
    throw error;
  }
}
