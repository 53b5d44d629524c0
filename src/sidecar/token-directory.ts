import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, GhauthError, messageOf } from "../errors.js";

/** Of linux/magic.h: tmpfs, and ramfs, which is tmpfs without a limit. */
const inMemory = new Set([0x0102_1994, 0x8584_58f6]);

/**
 * Refuses (`file_unusable`) a directory for tokens that is on a disk, from which they could be had later. One that
 * is not there yet is judged by where it would be made.
 */
export function requireMemory(directory: string): void {
  if (inMemory.has(fileSystemOf(directory))) return;
  throw new GhauthError(
    "file_unusable",
    `${directory} is not in memory (tmpfs), and tokens do not belong on a disk: mount an emptyDir with medium Memory there, or allow the disk with --allow-disk.`,
  );
}

function fileSystemOf(path: string): number {
  try {
    return statfsSync(path).type;
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) === "ENOENT" && parent !== path) return fileSystemOf(parent);
    throw new GhauthError("file_unusable", `${path} cannot hold the token: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
