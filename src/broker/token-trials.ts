import type { GitHubRequest } from "../github/github-api.js";
import type { Clock } from "../system/clock.js";
import type { Secret } from "../token/secret.js";
import { createRecentAnswers } from "./recent-answers.js";

export type TokenTrials = {
  /** Whether GitHub says that it does not know this token. Where GitHub says nothing, the token stands. */
  isDead: (token: Secret) => Promise<boolean>;
  /** What was found out within the last 10 s; undefined where GitHub would have to be asked. */
  recall: (token: Secret) => boolean | undefined;
};

const verdictMs = 10_000;

/** Tries tokens on GitHub, each once however many want to know, and at most every 10 s: until then the verdict stands. */
export function createTokenTrials({ clock, request }: { clock: Clock; request: GitHubRequest }): TokenTrials {
  const verdicts = createRecentAnswers<boolean>(clock, verdictMs);
  const tryToken = async (token: Secret): Promise<boolean> => {
    try {
      const { status } = await request({ method: "GET", path: "/rate_limit", authorization: token });
      return status === 401;
    } catch {
      return false; // GitHub is away
    }
  };
  return {
    isDead: async (token) => verdicts.get(token.sha256, async () => tryToken(token)),
    recall: (token) => verdicts.recall(token.sha256),
  };
}
