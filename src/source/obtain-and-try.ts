import { GhauthError, toGhauthError } from "../errors.js";
import type { GitHubRequest } from "../github/github-api.js";
import { rateLimitOf } from "../github/rate-limit.js";
import { tryToken } from "../github/try-token.js";
import type { InstallationToken } from "../token/installation-token.js";
import type { RateLimit } from "../token/refresh-log.js";
import { retry, type RetryDeps } from "./retry.js";
import type { ObtainedToken, TokenSource } from "./token-source.js";

export type RefreshDeps = RetryDeps & {
  source: TokenSource;
  request: GitHubRequest;
  publish: (token: InstallationToken) => Promise<string[]>;
};

/** `rateLimit` is what GitHub told when the token was tried. */
export type Refreshed = { token: ObtainedToken; warnings: string[]; rateLimit: RateLimit | null };

/** `deadlineMs` is an instant of `clock.elapsedMs`; `host` names GitHub in sentences; `obtainOnce`: the caller tries again. */
export type RefreshOptions = { deadlineMs: number; host: string; obtainOnce?: boolean };

/**
 * One refresh: obtain a token, try it, and only then publish it. Rejects with a GhauthError, and what was published
 * before is then untouched.
 */
export async function refresh(
  deps: RefreshDeps,
  { deadlineMs, host, obtainOnce = false }: RefreshOptions,
): Promise<Refreshed> {
  const token = await obtain(deps, obtainOnce ? -Infinity : deadlineMs);
  refuseDying(token, deps.clock.now());
  const trialMs = Math.min(deadlineMs, deps.clock.elapsedMs() + longestTrialMs);
  const answer = await retry(deps, { deadlineMs: trialMs, mostDelayMs: longestTrialDelayMs }, () =>
    tryToken(deps.request, { token: token.secret, which: "The new token", host }),
  );
  const rateLimit = rateLimitOf(answer, deps.clock.now());
  return { token, rateLimit, warnings: await deps.publish(token) };
}

async function obtain(deps: RefreshDeps, deadlineMs: number): Promise<ObtainedToken> {
  try {
    return await retry(deps, { deadlineMs }, deps.source.obtain);
  } catch (thrown) {
    const error = toGhauthError(thrown);
    throw error.isTransient ? error : ((await deps.source.diagnose?.(error)) ?? error);
  }
}

const leastLifeMs = 60_000;

/** A source that caches too long, or a clock that stands wrong: what is published must outlive its publishing. */
function refuseDying({ expiresAt }: InstallationToken, now: Date): void {
  if (!expiresAt || expiresAt.getTime() - now.getTime() >= leastLifeMs) return;
  throw new GhauthError(
    "source_unavailable",
    `The new token is no use: it expires at ${expiresAt.toISOString()}, and it is ${now.toISOString()} here. Check the source's cache, and this host's clock.`,
  );
}

const longestTrialMs = 20_000;
const longestTrialDelayMs = 2_000;
