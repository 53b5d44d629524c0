import { GhauthError, toGhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { processStartedAt } from "../system/process-start.js";
import { redact } from "../token/redact.js";
import { readLastRefresh, type RefreshLogEntry } from "../token/refresh-log.js";
import { isRefused } from "../token/token-marks.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { isFromTheFuture, millisecondsLeft } from "../token/judge-token-file.js";
import type { FreshTokenConfig } from "./fresh-token-config.js";
import { lastWordsOf, runRefreshScript } from "./refresh-script.js";

/** `trigger` is what the refresh log calls whoever needs the token. */
export type FreshTokenDeps = { clock: Pick<Clock, "now">; env: Environment; trigger: string };

const freshMs = 5 * 60_000;
const leastMs = 30_000;

export type HeldToken = Extract<TokenFile, { type: "token" }>;

/**
 * The token of the token env file, refreshed first where it has less than 5 minutes, does not tell its expiry as the
 * refresh script writes it, or was refused by GitHub. Where refreshing fails, one with 30 s or more that was not refused
 * will do. Rejects with the refresh script's sentence, 78 where a person must act, else 75.
 */
export async function obtainFreshToken(deps: FreshTokenDeps, config: FreshTokenConfig): Promise<HeldToken> {
  const held = readTokenFile(config.tokenEnvFile);
  const seenAt = held.type === "token" ? held.token.expiresAt : null;
  if (seenAt && isGood(held, freshMs) && held.hasEpoch) return held;

  const failure = failedMeanwhile(deps, config) ?? (await refresh(deps, config, seenAt));
  const found = readTokenFile(config.tokenEnvFile);
  if (isGood(found, leastMs)) return found;
  const known = [held, found].flatMap((file) => (file.type === "token" ? [file.token.secret] : []));
  const reason = redact(failure.message, known);
  throw new GhauthError(failure.code, `there is no valid GitHub token: ${reason}`, { cause: failure });

  function isGood(file: TokenFile, minimumMs: number): file is HeldToken {
    if (file.type !== "token") return false;
    const now = deps.clock.now();
    if (millisecondsLeft(file, now) < minimumMs || isFromTheFuture(file, now)) return false;
    return !isRefused(file.token.secret, config.refusedTokens);
  }
}

/** Whoever waited for another's refresh (`git-credential-ghauth` does) shares its failure instead of trying again. */
function failedMeanwhile({ clock }: FreshTokenDeps, { refreshLog }: FreshTokenConfig): GhauthError | null {
  const last = readLast(refreshLog);
  if (last === null || last.ok) return null;
  const startedAt = processStartedAt(clock.now());
  if (new Date(last.at).getTime() + last.ms < startedAt.getTime()) return null;
  return new GhauthError(last.exit === 78 ? "refused" : "source_unavailable", last.sentence);
}

function readLast(refreshLog: string): RefreshLogEntry | null {
  try {
    return readLastRefresh(refreshLog);
  } catch {
    return null; // status tells of a log that cannot be read
  }
}

/** Runs the refresh script; answers why no token that can be used came of it, if none should have. */
async function refresh(
  { env, trigger }: FreshTokenDeps,
  config: FreshTokenConfig,
  seenAt: Date | null,
): Promise<GhauthError> {
  const { refreshScript: script, tokenEnvFile } = config;
  try {
    const result = await runRefreshScript(config, { env, trigger, seenAt });
    if (result.exitCode === 0) {
      return new GhauthError(
        "source_unavailable",
        `the refresh script ${script} ended well, but ${tokenEnvFile} holds no token that can be used.`,
      );
    }
    return new GhauthError(
      result.exitCode === 78 ? "refused" : "source_unavailable",
      lastWordsOf(result) || `the refresh script ${script} failed without a word.`,
    );
  } catch (error) {
    return toGhauthError(error);
  }
}
