import { type GhauthError, toGhauthError } from "../errors.js";
import type { Refreshed } from "../source/obtain-and-try.js";
import type { Log } from "../log/log.js";
import type { RetryDeps } from "../source/retry.js";
import { reportFailure, reportRefreshed } from "./report.js";
import type { SidecarRefresh } from "./sidecar-refresh.js";
import { sleepWatchfully } from "./watchful-sleep.js";

export type KeepAliveDeps = RetryDeps & { log: Log; refresh: SidecarRefresh };
export type KeepAliveOptions = {
  intervalMs: number;
  /** How long one refresh may take. */
  limitMs: number;
  /** When the token that was found at the start expires. */
  heldUntil: Date | null;
};

const firstDelayMs = 1_000;
const longestDelayMs = 300_000;

/**
 * Refreshes at once, and then for ever. Rejects only before its first success, with what a person must
 * change; later that is said once, and tried again every 5 minutes.
 */
export async function keepAlive(deps: KeepAliveDeps, options: KeepAliveOptions): Promise<never> {
  const { clock, log, random } = deps;
  let { heldUntil } = options;
  let hasSucceeded = false;
  let failures = 0;
  let said = "";

  for (;;) {
    const startedMs = clock.elapsedMs();
    let delayMs: number;
    try {
      const refreshed = await deps.refresh(startedMs + options.limitMs);
      heldUntil = refreshed.token.expiresAt;
      delayMs = untilNextRefreshMs(refreshed, { now: clock.now(), random, intervalMs: options.intervalMs });
      reportRefreshed(log, refreshed, { ms: clock.elapsedMs() - startedMs, nextMs: delayMs });
      hasSucceeded = true;
      failures = 0;
      said = "";
    } catch (thrown) {
      const error = toGhauthError(thrown);
      if (!error.isTransient && !hasSucceeded) throw error;
      const leftMs = Math.max(0, (heldUntil?.getTime() ?? 0) - clock.now().getTime());
      const tookMs = clock.elapsedMs() - startedMs;
      delayMs = untilNextTryMs(error, { failures, leftMs, tookMs, random });
      reportFailure(log, error, { leftMs, nextMs: delayMs, isSaid: said === error.message });
      said = error.isTransient ? "" : error.message;
      failures++;
    }
    const jumpedMs = await sleepWatchfully(clock, delayMs);
    if (jumpedMs !== 0) {
      log.info("clock.jumped", { seconds: Math.round(jumpedMs / 1000) });
      failures = 0;
    }
  }
}

const shortestIntervalMs = 60_000;

/** Up to a tenth early, so that a cluster's sidecars spread; a token that lives shorter is refreshed in time. */
function untilNextRefreshMs(
  { token: { expiresAt } }: Refreshed,
  { now, random, intervalMs }: { now: Date; random: () => number; intervalMs: number },
): number {
  const lifeMs = expiresAt === null ? Infinity : expiresAt.getTime() - now.getTime();
  const dueMs = Math.min(intervalMs, Math.max(shortestIntervalMs, lifeMs * 0.75));
  return dueMs * (1 - random() / 10);
}

/**
 * What a person must change is tried again in 5 minutes. After a transient failure comes backoff from 1 s with full
 * jitter, never less than GitHub asked for: tries begin at most 5 minutes apart, and while a token lives at most a
 * quarter of its life left, so that no outage which ends before the token does outlasts it.
 */
function untilNextTryMs(
  error: GhauthError,
  {
    failures,
    leftMs,
    tookMs,
    random,
  }: { failures: number; leftMs: number; tookMs: number; random: () => number },
): number {
  if (!error.isTransient) return longestDelayMs;
  const quarterMs = leftMs > 0 ? Math.max(firstDelayMs, leftMs / 4) : Infinity;
  const mostMs = Math.min(longestDelayMs - tookMs, firstDelayMs * 2 ** failures, quarterMs);
  return (error.retryAfterMs ?? 0) + random() * Math.max(0, mostMs);
}
