import type { GhauthError } from "../errors.js";
import type { Log } from "../log/log.js";
import type { Refreshed } from "../source/obtain-and-try.js";
import { isoSeconds } from "../token/token-file.js";

const worthTellingMs = 60_000;

/** Says that a token was published, and that this host's clock is wrong where it is. */
export function reportRefreshed(
  log: Log,
  { token: { secret, expiresAt, clockOffsetMs = 0 } }: Refreshed,
  { ms, nextMs }: { ms: number; nextMs?: number },
): void {
  log.info("token.refreshed", {
    sha256: secret.fingerprint,
    expires_at: expiresAt && isoSeconds(expiresAt),
    ms: Math.round(ms),
    next_seconds: seconds(nextMs),
  });
  if (Math.abs(clockOffsetMs) < worthTellingMs) return;
  log.warn("clock.wrong", {
    seconds: seconds(clockOffsetMs),
    sentence:
      "This host's clock differs from GitHub's: set it. The token and its expiry are right all the same.",
  });
}

/** Says why there is no new token; what was said already, for those who debug. */
export function reportFailure(
  log: Log,
  error: GhauthError,
  { leftMs, nextMs, isSaid = false }: { leftMs?: number; nextMs?: number; isSaid?: boolean } = {},
): void {
  const level = isSaid ? "debug" : error.isTransient ? "warn" : "error";
  log[level]("refresh.failed", {
    code: error.code,
    sentence: error.message,
    token_seconds_left: seconds(leftMs),
    next_seconds: seconds(nextMs),
  });
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000);
}
