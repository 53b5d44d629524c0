import { messageOf } from "../errors.js";
import { explainWrite } from "../files/write-failure.js";
import type { AnswerFiles } from "../token/answer-files.js";
import type { InstallationToken } from "../token/installation-token.js";
import { forgetRefusal, markOf, sweepRefusals } from "../token/token-marks.js";
import type { Secret } from "../token/secret.js";
import { writeTokenFile } from "../token/token-file.js";
import type { GhAuth, GhAuthDeps } from "./gh-auth.js";
import { publishGitAnswers } from "./git-answers.js";

export type PublishDeps = GhAuthDeps & { now: Date };
export type PublishTo = {
  tokenEnvFile: string;
  /** Where tokens that GitHub refused are marked: this one was tried, and works. */
  refusedTokens: string;
  answerFiles: AnswerFiles | null;
  gh: GhAuth | null;
};

/**
 * Publishes a token that works: the token env file first, then git's answers and gh. Answers with warnings: neither
 * loses the refresh. Rejects with `write_failed` or `file_unusable`; the old file then stays.
 */
export async function publish(
  { now, ...deps }: PublishDeps,
  to: PublishTo,
  token: InstallationToken,
): Promise<string[]> {
  const { tokenEnvFile, refusedTokens, answerFiles, gh } = to;
  const warnings = settleRefusals(token.secret, { refusedTokens, now });
  try {
    writeTokenFile(tokenEnvFile, token);
  } catch (error) {
    throw explainWrite(error, "The token env file", tokenEnvFile);
  }
  if (answerFiles) warnings.push(...publishGitAnswers(answerFiles, { token, refusedTokens }));
  if (!gh) return warnings;
  const { updateGhAuth } = await import("./gh-auth.js");
  const complaint = await updateGhAuth(deps, gh, token.secret);
  return complaint === null ? warnings : [...warnings, `warning: gh was not updated: ${complaint}`];
}

function settleRefusals(
  token: Secret,
  { refusedTokens, now }: { refusedTokens: string; now: Date },
): string[] {
  sweepRefusals(refusedTokens, now);
  try {
    forgetRefusal(token, refusedTokens);
    return [];
  } catch (error) {
    const mark = markOf(token, refusedTokens);
    return [`warning: GitHub takes the token, but its mark ${mark} cannot be removed: ${messageOf(error)}`];
  }
}
