import { type GhauthError, toGhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";

export type RetryDeps = { clock: Clock; random: () => number };

const firstDelayMs = 500;
const longestDelayMs = 10_000;

/**
 * Repeats `attempt` while its failure is transient and time is left: exponential backoff with full jitter
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), never sooner than GitHub asked.
 * Rejects with the last failure, at once where a person must act or the wait would outlast `deadlineMs`
 * (an instant of `clock.elapsedMs`).
 */
export async function retry<T>(
  { clock, random }: RetryDeps,
  { deadlineMs, mostDelayMs = longestDelayMs }: { deadlineMs: number; mostDelayMs?: number },
  attempt: () => Promise<T>,
): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await attempt();
    } catch (thrown) {
      const error = toGhauthError(thrown);
      const delayMs = nextDelayMs(error, random() * Math.min(mostDelayMs, firstDelayMs * 2 ** tries));
      const hasTime = clock.elapsedMs() + delayMs < deadlineMs;
      if (!error.isTransient || error.traits.outlastsRun || !hasTime) throw error;
      await clock.sleep(delayMs);
    }
  }
}

function nextDelayMs({ retryAfterMs = 0 }: GhauthError, jitterMs: number): number {
  return retryAfterMs + jitterMs;
}
