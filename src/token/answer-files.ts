import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf } from "../errors.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { readIfThere } from "../files/regular-file.js";
import { renderGitAnswer } from "./git-answer.js";
import type { InstallationToken } from "./installation-token.js";
import type { Secret } from "./secret.js";

/** Git's answers for these hosts, ready in a file each, from the token that this token env file holds. */
export type AnswerFiles = { directory: string; hosts: readonly string[]; tokenEnvFile: string };

/**
 * Writes what git is to be answered for each host, for `git-credential-ghauth` to print, and removes what is there for
 * other hosts. The first line says until when, and what file it comes from: that one must be written first, for an
 * answer that is older does not count. Throws the system's error.
 */
export function writeAnswerFiles(
  { directory, hosts, tokenEnvFile }: AnswerFiles,
  { secret, expiresAt }: InstallationToken,
): void {
  const names = expiresAt === null || tokenEnvFile.includes("\n") ? [] : hosts.filter(isFileName);
  for (const name of listAnswers(directory))
    if (!names.includes(name)) rmSync(join(directory, name), { force: true });
  const epoch = Math.floor((expiresAt?.getTime() ?? 0) / 1000);
  const text = `# ${epoch} ${tokenEnvFile}\n${renderGitAnswer(secret, epoch)}`;
  for (const name of names) writeFileAtomically(join(directory, name), text);
}

/** Removes the answers that hold this token. Throws the system's error. */
export function removeAnswerFiles(token: Secret, directory: string): void {
  for (const name of listAnswers(directory)) {
    const path = join(directory, name);
    if (readAnswer(path).split("\n").includes(`password=${token.reveal()}`)) rmSync(path, { force: true });
  }
}

/** As the helper in sh takes hosts for file names. */
function isFileName(host: string): boolean {
  return /^[a-z0-9.:-]{1,255}$/.test(host) && host !== "." && host !== "..";
}

/** Without the scratch files of somebody who writes one now. */
function listAnswers(directory: string): string[] {
  try {
    return readdirSync(directory, { withFileTypes: true })
      .filter((entry) => entry.isFile() && isFileName(entry.name) && !/^\..*\.tmp$/.test(entry.name))
      .map(({ name }) => name);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return [];
    throw error;
  }
}

/** Empty where somebody else removed it. */
function readAnswer(path: string): string {
  return readIfThere(path)?.text ?? "";
}
