import { setTimeout as delay } from "node:timers/promises";

/** Time as an argument: `now` is the wall clock, `elapsedMs` one that never jumps, `sleep` resolves after milliseconds. */
export type Clock = {
  now: () => Date;
  elapsedMs: () => number;
  sleep: (ms: number) => Promise<void>;
};

export const systemClock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  sleep: async (ms) => {
    await delay(ms);
  },
};
