import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import type { Environment } from "../system/paths.js";
import { type CommandResult, runCommand } from "../system/run-command.js";
import { lastLineOf } from "../token/line-of-output.js";
import type { FreshTokenConfig } from "./fresh-token-config.js";

/** `trigger` is what the refresh log calls whoever runs it; `seenAt` the expiry of the token that will not do. */
export type RefreshRun = { env: Environment; trigger: string; force?: boolean; seenAt?: Date | null };

/**
 * Runs the refresh script to its end, whatever it leaves behind. Rejects with `script_missing` or
 * `script_not_executable`.
 */
export async function runRefreshScript(
  { refreshScript, refreshTimeoutMs, tokenEnvFile }: FreshTokenConfig,
  { env, trigger, force = false, seenAt = null }: RefreshRun,
): Promise<CommandResult> {
  try {
    return await runCommand([refreshScript, ...(force ? ["--force"] : [])], {
      timeoutMs: refreshTimeoutMs,
      env: {
        ...childEnvironment(env, { keeps: ["GITHUB_APP_PRIVATE_KEY"] }),
        TOKEN_ENV_FILE: tokenEnvFile,
        GHAUTH_TRIGGER: trigger,
        GHAUTH_BY: "", // whoever had us started asked somebody else
        GHAUTH_SEEN_EPOCH: seenAt === null ? "" : String(Math.floor(seenAt.getTime() / 1000)),
      },
    });
  } catch (error) {
    throw explainStart(error, refreshScript);
  }
}

const longestSentence = 1_000;

/** What the script said last, without secrets: of a failure, its sentence. */
export function lastWordsOf({ stdout, stderr }: CommandResult): string {
  return lastLineOf(stderr.trim() || stdout, longestSentence);
}

function explainStart(error: unknown, script: string): GhauthError {
  const isMissing = errnoOf(error) === "ENOENT";
  const reason = isMissing ? "is not there" : `cannot be run (${messageOf(error)})`;
  return new GhauthError(
    isMissing ? "script_missing" : "script_not_executable",
    `the refresh script ${script} ${reason}. Install it, or set GHAUTH_REFRESH_SCRIPT.`,
    { cause: error },
  );
}
