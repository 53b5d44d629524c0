import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from "node:fs";
import { errnoOf } from "../errors.js";

/**
 * Opens a regular file, without ever waiting: a FIFO in its place would hang whoever opens it as usual. Throws the
 * system's error, with code `ENOTREG` where it is no regular file.
 */
export function openRegularFile(
  path: string,
  { flags = constants.O_RDONLY, mode = 0o600 } = {},
): { file: number; stats: Stats } {
  const file = openSync(path, flags | constants.O_NONBLOCK, mode);
  const stats = fstatSync(file);
  if (stats.isFile()) return { file, stats };
  closeSync(file);
  throw Object.assign(new Error("it is not a regular file"), { code: "ENOTREG" });
}

export type FileText = { text: string; stats: Stats };

const usuallyAtMost = 1_048_576;

/** A regular file's text, if it has no more than `atMost` bytes. Throws as openRegularFile does. */
export function readRegularFile(path: string, atMost = usuallyAtMost): FileText {
  const { file, stats } = openRegularFile(path);
  try {
    if (stats.size > atMost)
      throw new Error(`it has ${stats.size} bytes, and ${atMost} are the most it can need`);
    const buffer = Buffer.alloc(stats.size);
    let length = 0;
    for (let read = -1; read !== 0 && length < buffer.length; length += read) {
      read = readSync(file, buffer, length, buffer.length - length, length);
    }
    return { text: buffer.toString("utf8", 0, length), stats };
  } finally {
    closeSync(file);
  }
}

/** The same, or null where there is no file. Throws as readRegularFile does. */
export function readIfThere(path: string, atMost = usuallyAtMost): FileText | null {
  try {
    return readRegularFile(path, atMost);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "")) return null;
    throw error;
  }
}
