import { GhauthError, toGhauthError } from "../errors.js";
import { explainRefusal, isRateLimit } from "../github/explain.js";
import { rateLimitOf } from "../github/rate-limit.js";
import { isObject } from "../files/json.js";
import type { GitHubAnswer, GitHubRequest } from "../github/github-api.js";
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
    tryToken(deps.request, { token, host }),
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

/**
 * Uses a fresh token once, on GET /rate_limit, which costs nothing. GitHub may refuse it for some seconds until it
 * has reached all its servers, so a refusal is `token_refused`, which is transient. Resolves with its answer.
 */
async function tryToken(
  request: GitHubRequest,
  { token, host }: { token: InstallationToken; host: string },
): Promise<GitHubAnswer> {
  const answer = await request({ method: "GET", path: "/rate_limit", authorization: token.secret });
  const { status, json } = answer;
  if (status === 200 && isObject(json)) return answer;
  // An Enterprise Server without rate limits says so, with 404, to a token that it knows.
  if (status === 404 && isObject(json) && /rate limit/i.test(String(json["message"]))) return answer;
  if ((status === 401 || status === 403) && !isRateLimit(answer)) {
    throw new GhauthError(
      "token_refused",
      `The new token does not work: ${host} refuses it with HTTP ${status}.`,
    );
  }
  throw explainTrial(answer, host);
}

/** Whatever else comes says nothing about the token, nor about the App: it is transient. */
function explainTrial(answer: GitHubAnswer, host: string): GhauthError {
  const error = explainRefusal(answer, { host, appId: "" });
  if (error.isTransient) return error;
  return new GhauthError(
    "github_unavailable",
    `The new token could not be tried: ${host} answered GET /rate_limit with HTTP ${answer.status}.`,
  );
}
