import { errnoOf, GhauthError, messageOf } from "../errors.js";
import type { InstallationToken } from "../token/installation-token.js";
import { writeTokenFile } from "../token/token-file.js";
import type { GhAuth, GhAuthDeps } from "./gh-auth.js";

export type PublishTo = { tokenEnvFile: string; gh: GhAuth | null };

/**
 * Publishes a token that works: the token env file first, then gh. Answers with warnings: a gh that is missing or
 * fails does not lose the refresh. Rejects with `write_failed` or `file_unusable`; the old file then stays.
 */
export async function publish(deps: GhAuthDeps, to: PublishTo, token: InstallationToken): Promise<string[]> {
  try {
    writeTokenFile(to.tokenEnvFile, token);
  } catch (error) {
    throw explainWrite(error, `The token env file ${to.tokenEnvFile}`);
  }
  if (!to.gh) return [];
  const { updateGhAuth } = await import("./gh-auth.js");
  const complaint = await updateGhAuth(deps, to.gh, token.secret);
  return complaint === null ? [] : [`warning: gh was not updated: ${complaint}`];
}

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
