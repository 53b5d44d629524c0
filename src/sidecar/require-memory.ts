import { dirname } from "node:path";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { isInMemory } from "../files/in-memory.js";

/**
 * Refuses (`file_unusable`) a directory for tokens that is on a disk, from which they could be had later. One that
 * is not there yet is judged by where it would be made.
 */
export function requireMemory(directory: string): void {
  if (willBeInMemory(directory)) return;
  throw new GhauthError(
    "file_unusable",
    `${directory} is not in memory (tmpfs), and tokens do not belong on a disk: mount an emptyDir with medium Memory there, or allow the disk with --allow-disk.`,
  );
}

function willBeInMemory(path: string): boolean {
  try {
    return isInMemory(path);
  } catch (error) {
    const parent = dirname(path);
    if (errnoOf(error) === "ENOENT" && parent !== path) return willBeInMemory(parent);
    throw new GhauthError("file_unusable", `${path} cannot hold the token: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}
