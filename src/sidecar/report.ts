import type { GhauthError } from "../errors.js";
import type { Refreshed } from "../source/obtain-and-try.js";
import { isoSeconds } from "../token/token-file.js";
import type { EventLog } from "./event-log.js";

const worthTellingMs = 60_000;

/** Says that a token was published, and that this host's clock is wrong where it is; and keeps the token out of the log. */
export function reportRefreshed(
  log: EventLog,
  { token: { secret, expiresAt, clockOffsetMs = 0 } }: Refreshed,
  { ms, nextMs }: { ms: number; nextMs?: number },
): void {
  log.known.splice(0, log.known.length, secret);
  log.say("info", "refreshed", {
    sha256: secret.fingerprint,
    expires_at: expiresAt && isoSeconds(expiresAt),
    ms: Math.round(ms),
    next_seconds: seconds(nextMs),
  });
  if (Math.abs(clockOffsetMs) < worthTellingMs) return;
  log.say("warn", "clock_wrong", {
    seconds: seconds(clockOffsetMs),
    sentence:
      "This host's clock differs from GitHub's: set it. The token and its expiry are right all the same.",
  });
}

/** Says why there is no new token; what was said already, for those who debug. */
export function reportFailure(
  log: EventLog,
  error: GhauthError,
  { leftMs, nextMs, isSaid = false }: { leftMs?: number; nextMs?: number; isSaid?: boolean } = {},
): void {
  const level = error.isTransient ? "warn" : "error";
  log.say(isSaid ? "debug" : level, "refresh_failed", {
    code: error.code,
    sentence: error.message,
    token_seconds_left: seconds(leftMs),
    next_seconds: seconds(nextMs),
  });
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : Math.round(ms / 1000);
}
