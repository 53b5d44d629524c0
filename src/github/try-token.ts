import { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { Secret } from "../token/secret.js";
import { explainRefusal, isRateLimit } from "./explain.js";
import type { GitHubAnswer, GitHubRequest } from "./github-api.js";

/** `which` is what a sentence calls it: `The new token`. */
export type Trial = { token: Secret; which: string; host: string };

/**
 * Uses a token once, on GET /rate_limit, which costs nothing, and resolves with the answer. GitHub may refuse a new one
 * for some seconds until it has reached all its servers, so a refusal is `token_refused`, which is transient.
 */
export async function tryToken(request: GitHubRequest, trial: Trial): Promise<GitHubAnswer> {
  const { token, which, host } = trial;
  const answer = await request({ method: "GET", path: "/rate_limit", authorization: token });
  const { status, json } = answer;
  if (status === 200 && isObject(json)) return answer;
  // An Enterprise Server without rate limits says so, with 404, to a token that it knows.
  if (status === 404 && isObject(json) && /rate limit/i.test(String(json["message"]))) return answer;
  if ((status === 401 || status === 403) && !isRateLimit(answer)) {
    throw new GhauthError("token_refused", `${which} does not work: ${host} refuses it with HTTP ${status}.`);
  }
  throw explainTrial(answer, trial);
}

/** Whatever else comes says nothing about the token, nor about the App: it is transient. */
function explainTrial(answer: GitHubAnswer, { which, host }: Trial): GhauthError {
  const error = explainRefusal(answer, { host, appId: "" });
  if (error.isTransient) return error;
  return new GhauthError(
    "github_unavailable",
    `${which} could not be tried: ${host} answered GET /rate_limit with HTTP ${answer.status}.`,
  );
}
