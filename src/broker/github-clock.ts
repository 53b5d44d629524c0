import type { GitHubRequest } from "../github/github-api.js";
import type { Clock } from "../system/clock.js";

/** GitHub's clock, as its last answer to `request` told it: brokers that share tokens need not agree on the time. */
export type GitHubClock = { request: GitHubRequest; gitHubNow: () => Date };

/** Before the first answer, GitHub's clock is taken for this host's. */
export function watchGitHubClock({ now }: Pick<Clock, "now">, request: GitHubRequest): GitHubClock {
  let aheadMs = 0;
  return {
    request: async (call) => {
      const answer = await request(call);
      if (answer.date) aheadMs = answer.date.getTime() - now().getTime();
      return answer;
    },
    gitHubNow: () => new Date(now().getTime() + aheadMs),
  };
}
