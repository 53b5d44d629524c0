import type { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { RateLimit } from "../token/refresh-log.js";
import { measureClockOffset } from "./clock-offset.js";
import { explainRefusal, isRateLimit } from "./explain.js";
import type { GitHubAnswer, GitHubRequest } from "./github-api.js";
import { rateLimitOf } from "./rate-limit.js";
import { type Trial, tryToken } from "./try-token.js";

/** `fault`: the token works, but may not call GitHub now. `repositories` is null where they cannot be counted. */
export type CheckedToken = {
  fault: GhauthError | null;
  rateLimit: RateLimit | null;
  repositories: number | null;
  clockOffsetMs: number | null;
};

/** Tries a token, and counts the repositories in its reach. Rejects as tryToken does. */
export async function checkToken(
  { request, now }: { request: GitHubRequest; now: () => Date },
  trial: Trial,
): Promise<CheckedToken> {
  const [{ answer, clockOffsetMs }, listed] = await Promise.all([
    measureClockOffset(now, async () => tryToken(request, trial)),
    request({ method: "GET", path: "/installation/repositories?per_page=1", authorization: trial.token }),
  ]);
  return {
    fault: isRateLimit(listed) ? explainRefusal(listed, { host: trial.host, appId: "" }) : null,
    rateLimit: rateLimitOf(answer, now()),
    repositories: countIn(listed),
    clockOffsetMs,
  };
}

/** A token that is no installation's, as a command may give one, has no such list. */
function countIn({ status, json }: GitHubAnswer): number | null {
  const count = status === 200 && isObject(json) ? json["total_count"] : null;
  return typeof count === "number" ? count : null;
}
