import type { Clock } from "../system/clock.js";
import { createLruMap } from "./lru-map.js";

/** Answers that stand for a while: asked for once however many want one at the same time, and then not for `forMs`. */
export type RecentAnswers<T> = {
  /** The answer that stands, or a new one. Rejects as `ask` does; that is not remembered. */
  get: (key: string, ask: () => Promise<T>) => Promise<T>;
  /** The answer that stands; else undefined. */
  recall: (key: string) => T | undefined;
};

const mostAnswers = 1000;

export function createRecentAnswers<T>(
  { elapsedMs }: Pick<Clock, "elapsedMs">,
  forMs: number,
): RecentAnswers<T> {
  const given = createLruMap<{ answer: T; untilMs: number }>(mostAnswers);
  const running = new Map<string, Promise<T>>();

  const run = async (key: string, ask: () => Promise<T>): Promise<T> => {
    const answer = await ask();
    given.set(key, { answer, untilMs: elapsedMs() + forMs });
    return answer;
  };

  const recall = (key: string): T | undefined => {
    const known = given.get(key);
    return known && known.untilMs > elapsedMs() ? known.answer : undefined;
  };

  return {
    recall,
    get: async (key, ask) => {
      const known = recall(key);
      if (known !== undefined) return known;
      const job = running.get(key) ?? run(key, ask).finally(() => running.delete(key));
      running.set(key, job);
      return job;
    },
  };
}
