import { setTimeout as delay } from "node:timers/promises";

/** Time as an argument: `now` is the wall clock, `elapsedMs` one that never jumps, `sleep` resolves after milliseconds. */
export type Clock = {
  now: () => Date;
  elapsedMs: () => number;
  sleep: (ms: number) => Promise<void>;
};

export const systemClock: Clock = {
  now: () => new Date(),
  // Since the process began; global performance would have to be loaded first.
  elapsedMs: () => process.uptime() * 1000,
  sleep: async (ms) => {
    await delay(ms);
  },
};
