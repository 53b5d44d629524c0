import { type Stats, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { isScratchLost } from "./atomic-file.js";
import { shellWord } from "./shell-word.js";

const transient = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN"]);

/**
 * Why `what`, the file at `path`, could not be replaced, by the system's error: `write_failed` is transient,
 * `file_unusable` waits for a person.
 */
export function explainWrite(error: unknown, what: string, path: string): GhauthError {
  const errno = errnoOf(error) ?? "";
  const isLost = isScratchLost(error);
  const code = isLost || transient.has(errno) ? "write_failed" : "file_unusable";
  const reason = isLost
    ? "another program removes what is written beside it"
    : (reasons[errno]?.(path) ?? messageOf(error));
  return new GhauthError(code, `${what} ${path} cannot be written: ${reason}.`, { cause: error });
}

const reasons: Record<string, (path: string) => string> = {
  ENOSPC: () => "the disk is full",
  EDQUOT: () => "the disk quota is used up",
  EACCES: () => "its directory is not writable for this user",
  EPERM: explainForbidden,
  EROFS: () => "its file system is read-only",
  EISDIR: () => "it is a directory",
  ENOTDIR: () => "a part of its path is not a directory",
};

/** Who may write into a directory and yet replace no file there, is kept from it by one of two things. */
function explainForbidden(path: string): string {
  const [directory, file] = [dirname(path), path].map(look);
  const us = process.geteuid?.();
  if (directory && file && (directory.mode & 0o1000) !== 0 && file.uid !== us && directory.uid !== us)
    return "its directory is sticky, and the file is another user's: have it removed";
  return `its directory or the file is append-only or immutable: see lsattr -d ${shellWord(dirname(path))} ${shellWord(path)}, and take the attribute away with chattr -a or -i`;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
