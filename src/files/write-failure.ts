import { errnoOf, GhauthError, messageOf } from "../errors.js";

const mayPass = new Set(["ENOSPC", "EDQUOT", "EIO", "EMFILE", "ENFILE", "ENOMEM", "EAGAIN"]);

/** Why a file could not be written, by the system's error: `write_failed` can pass, `file_unusable` cannot. */
export function explainWrite(error: unknown, file: string): GhauthError {
  const code = mayPass.has(errnoOf(error) ?? "") ? "write_failed" : "file_unusable";
  const words = writeFailures[errnoOf(error) ?? ""] ?? messageOf(error);
  return new GhauthError(code, `${file} cannot be written: ${words}.`, { cause: error });
}

const writeFailures: Record<string, string> = {
  ENOSPC: "the disk is full",
  EDQUOT: "the disk quota is used up",
  EACCES: "its directory is not writable for this user",
  EPERM: "its directory is not writable for this user",
  EROFS: "its file system is read-only",
  EISDIR: "it is a directory",
  ENOTDIR: "a part of its path is not a directory",
};
