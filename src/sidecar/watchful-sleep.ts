import type { Clock } from "../system/clock.js";

const sliceMs = 5_000;
const jumpMs = 30_000;

/**
 * Sleeps, but no longer than until the wall clock leaves the monotonic one, which stands still while the machine is
 * suspended. Resolves with how far it jumped, or 0 after the whole time.
 */
export async function sleepWatchfully(clock: Clock, ms: number): Promise<number> {
  const untilMs = clock.elapsedMs() + ms;
  const distance = () => clock.now().getTime() - clock.elapsedMs();
  const before = distance();
  for (;;) {
    const leftMs = untilMs - clock.elapsedMs();
    if (leftMs <= 0) return 0;
    await clock.sleep(Math.min(leftMs, sliceMs));
    const jumpedMs = distance() - before;
    if (Math.abs(jumpedMs) >= jumpMs) return jumpedMs;
  }
}
