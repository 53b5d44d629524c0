import { messageOf } from "../errors.js";
import { readEnvFile } from "../files/env-file.js";
import { expandPath, type Paths } from "../system/paths.js";
import { type AnswerFiles, removeAnswerFiles, writeAnswerFiles } from "../token/answer-files.js";
import { gitHostsOf } from "../token/git-hosts.js";
import type { InstallationToken } from "../token/installation-token.js";
import { isRefused } from "../token/token-marks.js";

/**
 * The answers for git that a publish to this token env file leaves ready, by github-app.env alone: null where it names
 * another token env file, for git is answered from that one. Throws `config_invalid`.
 */
export function answerFilesOf(tokenEnvFile: string, paths: Paths): AnswerFiles | null {
  const file = readEnvFile(paths.appEnvFile);
  if (tokenEnvFile !== expandPath(file.get("TOKEN_ENV_FILE") || paths.tokenEnvFile, paths)) return null;
  const hosts = gitHostsOf((name) => file.get(name));
  return { directory: paths.gitAnswers, hosts, tokenEnvFile };
}

/**
 * Leaves git's answers ready, after the token is in the token env file. Answers with a warning where that fails: git's
 * helper then reads the token env file itself.
 */
export function publishGitAnswers(
  answers: AnswerFiles,
  { token, refusedTokens }: { token: InstallationToken; refusedTokens: string },
): string[] {
  try {
    writeAnswerFiles(answers, token);
    // Whoever marked it meanwhile may have looked for answers before they were there.
    if (isRefused(token.secret, refusedTokens)) removeAnswerFiles(token.secret, answers.directory);
    return [];
  } catch (error) {
    return [`warning: git's answers in ${answers.directory} cannot be written: ${messageOf(error)}`];
  }
}
