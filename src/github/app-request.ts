import type { SignAppJwt } from "./app-jwt.js";
import { isClockRefusal } from "./explain.js";
import type { GitHubAnswer, GitHubCall, GitHubRequest } from "./github-api.js";

/** A call as the App itself, authorized by an App JWT. */
export type AppRequest = (call: Omit<GitHubCall, "authorization">) => Promise<GitHubAnswer>;

/**
 * Signs each call; where GitHub refuses the JWT's times, the offset of its clock is taken from the answer's `Date`
 * header and the call is signed and sent once more, so that a host whose clock is off still gets its token.
 */
export function createAppRequest({
  request,
  signAppJwt,
  now,
}: {
  request: GitHubRequest;
  signAppJwt: SignAppJwt;
  now: () => Date;
}): AppRequest {
  let offsetMs = 0;
  return async (call) => {
    const send = async () =>
      request({ ...call, authorization: signAppJwt(new Date(now().getTime() + offsetMs)) });
    const answer = await send();
    if (!isClockRefusal(answer) || !answer.date) return answer;
    offsetMs = answer.date.getTime() - now().getTime();
    return send();
  };
}
