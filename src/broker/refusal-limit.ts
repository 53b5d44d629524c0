import type { Clock } from "../system/clock.js";
import { Refusal } from "./refusal.js";

const mostRefused = 60;
const windowMs = 60_000;
const longestWaitMs = 5000;

/** One client's questions, of which at most 60 a minute may be refused: nobody gets to guess at GitHub's expense. */
export type ClientLimit = {
  /** Does what costs nothing. Throws what `work` throws; once too many were refused, 429 instead of another refusal. */
  read: <T>(work: () => T) => T;
  /**
   * Does what may have to ask GitHub. As many run at once as could be refused; the others wait for their turn. Rejects
   * as `work` does, with 429 once too many were refused, and with 503 where the turn does not come.
   */
  ask: <T>(work: () => Promise<T>) => Promise<T>;
};

/** The limits of the clients, by their names. */
export function createRefusalLimits(clock: Pick<Clock, "elapsedMs">): (client: string) => ClientLimit {
  const limits = new Map<string, ClientLimit>();
  return (client) => {
    const limit = limits.get(client) ?? createClientLimit(clock);
    limits.set(client, limit);
    return limit;
  };
}

function createClientLimit({ elapsedMs }: Pick<Clock, "elapsedMs">): ClientLimit {
  /** When each of the last minute's refusals was, the oldest first. */
  const refusedAtMs: number[] = [];
  const waiting = new Set<() => void>();
  let running = 0;

  const forgetOld = () => {
    const sinceMs = elapsedMs() - windowMs;
    while (refusedAtMs[0] !== undefined && refusedAtMs[0] <= sinceMs) refusedAtMs.shift();
  };
  const hasTurn = () => refusedAtMs.length + running < mostRefused;
  const isSpent = () => refusedAtMs.length >= mostRefused;

  const tooMany = () => {
    const untilMs = (refusedAtMs[0] ?? elapsedMs()) + windowMs;
    return new Refusal(429, `${mostRefused} questions were refused within a minute: ask again later`, {
      retryAfterMs: untilMs - elapsedMs(),
    });
  };

  const count = (thrown: unknown) => {
    if (thrown instanceof Refusal && thrown.isClientsFault) refusedAtMs.push(elapsedMs());
  };

  const callNext = () => {
    forgetOld();
    for (const call of waiting) {
      if (!hasTurn() && !isSpent()) return;
      waiting.delete(call);
      call();
    }
  };

  /** Resolves once it is this question's turn, which then counts as running. */
  const takeTurn = async () => {
    forgetOld();
    if (isSpent()) throw tooMany();
    if (hasTurn()) {
      running += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const call = () => {
        clearTimeout(timer);
        if (isSpent()) return reject(tooMany());
        running += 1;
        resolve();
      };
      const timer = setTimeout(() => {
        waiting.delete(call);
        reject(
          new Refusal(503, "too many questions of this client are waiting", { retryAfterMs: longestWaitMs }),
        );
      }, longestWaitMs);
      waiting.add(call);
    });
  };

  return {
    read: (work) => {
      try {
        return work();
      } catch (thrown) {
        forgetOld();
        if (isSpent()) throw tooMany();
        count(thrown);
        throw thrown;
      }
    },
    ask: async (work) => {
      await takeTurn();
      try {
        return await work();
      } catch (thrown) {
        count(thrown);
        throw thrown;
      } finally {
        running -= 1;
        callNext();
      }
    },
  };
}
