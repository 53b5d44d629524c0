import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import { runCommand } from "../system/run-command.js";
import { lastLineOf } from "../token/redacted-lines.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { isRefused } from "../token/refused-token.js";
import type { Secret } from "../token/secret.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { isFromTheFuture, millisecondsLeft } from "../token/token-state.js";
import type { ExecConfig } from "./exec-config.js";

export type FreshTokenDeps = { clock: Pick<Clock, "now">; env: Environment };

const freshMs = 5 * 60_000;
const leastMs = 30_000;

type HeldToken = Extract<TokenFile, { type: "token" }>;

/**
 * The token of the token env file, refreshed first where it has less than 5 minutes, or does not tell
 * its expiry as the refresh script writes it, or GitHub refused it. Where that fails, one with 30 s or more that was not refused will do. Rejects with the refresh script's
 * sentence, 78 where a person must act, else 75.
 */
export async function obtainFreshToken(deps: FreshTokenDeps, config: ExecConfig): Promise<Secret> {
  const held = readTokenFile(config.tokenEnvFile);
  const seenAt = held.type === "token" ? held.token.expiresAt : null;
  if (seenAt && isGood(held, freshMs) && held.hasEpoch) return held.token.secret;

  const failure = await refresh(deps, config, seenAt);
  const found = readTokenFile(config.tokenEnvFile);
  if (isGood(found, leastMs)) return found.token.secret;
  throw (
    failure ??
    new GhauthError(
      "source_unavailable",
      `The refresh script ${config.refreshScript} ended well, but ${config.tokenEnvFile} holds no token that can be used.`,
    )
  );

  function isGood(file: TokenFile, minimumMs: number): file is HeldToken {
    if (file.type !== "token") return false;
    const now = deps.clock.now();
    if (millisecondsLeft(file, now) < minimumMs || isFromTheFuture(file, now)) return false;
    return !isRefused(file.token.secret, config.refusedToken);
  }
}

/** Runs the refresh script; answers null, or why there is no new token. */
async function refresh(
  { env }: FreshTokenDeps,
  { refreshScript, refreshTimeoutMs, tokenEnvFile }: ExecConfig,
  seenAt: Date | null,
): Promise<GhauthError | null> {
  try {
    const { exitCode, stdout, stderr } = await runCommand([refreshScript], {
      timeoutMs: refreshTimeoutMs,
      env: {
        ...childEnvironment(env, { keeps: ["GITHUB_APP_PRIVATE_KEY"] }),
        TOKEN_ENV_FILE: tokenEnvFile,
        GHAUTH_TRIGGER: "exec",
        GHAUTH_SEEN_EPOCH: seenAt === null ? "" : String(Math.floor(seenAt.getTime() / 1000)),
      },
    });
    if (exitCode === 0) return null;
    const said = lastLineOf(stderr.trim() || stdout);
    return new GhauthError(
      exitCode === 78 ? "refused" : "source_unavailable",
      `there is no valid GitHub token: ${said || `the refresh script ${refreshScript} failed without a word.`}`,
    );
  } catch (error) {
    return explainStart(error, refreshScript);
  }
}

function explainStart(error: unknown, script: string): GhauthError {
  const isMissing = errnoOf(error) === "ENOENT";
  const reason = isMissing ? "is not there" : `cannot be run: ${messageOf(error)}`;
  return new GhauthError(
    isMissing ? "script_missing" : "script_not_executable",
    `there is no valid GitHub token, and the refresh script ${script} ${reason}. Install it, or set GHAUTH_REFRESH_SCRIPT.`,
    { cause: error },
  );
}
