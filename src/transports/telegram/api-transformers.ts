import { autoRetry } from "@grammyjs/auto-retry";
import { HttpError, type Transformer } from "grammy";
import { messageOf } from "../../errors.js";
import type { Clock } from "../../system/clock.js";
import type { Log } from "../../log/log.js";
import { createRecentSet, type RecentSet } from "../recent-set.js";

/** What may be called again without harm where nobody knows whether the first call arrived. */
const repeatable = new Set(["editMessageText", "answerCallbackQuery", "setMyCommands"]);
const shortestPollMs = 1_000;

/**
 * How every call to Telegram is made: a 429 is obeyed and an error of Telegram's own tried again, both within bounds;
 * a call that was lost on the way is tried again only where doing it twice does no harm.
 */
export function createRetries(clock: Clock): Transformer[] {
  const obeyLimits = autoRetry({
    maxRetryAttempts: 20,
    maxDelaySeconds: 60,
    rethrowHttpErrors: true,
    rethrowInternalServerErrors: true,
  });
  const outlastErrors = autoRetry({ maxRetryAttempts: 3, maxDelaySeconds: 0, rethrowHttpErrors: true });
  const repeatLost: Transformer = async (call, ...request) => {
    for (let delayMs = 1_000; ; delayMs *= 2) {
      try {
        return await call(...request);
      } catch (error) {
        if (!(error instanceof HttpError) || !repeatable.has(request[0]) || delayMs > 4_000) throw error;
        await clock.sleep(delayMs);
      }
    }
  };
  return [obeyLimits, outlastErrors, repeatLost].map((transformer) => exceptPolling(transformer));
}

/** Polling has its own way with errors. */
function exceptPolling(transformer: Transformer): Transformer {
  return async (call, ...request) =>
    request[0] === "getUpdates" ? call(...request) : transformer(call, ...request);
}

/**
 * Stands between Telegram and the polling loop: lets each update through once, leaves out what is no update, and logs when
 * Telegram can no longer be reached and when it can again.
 */
export function createUpdateFilter({ clock, log }: { clock: Clock; log: Log }): Transformer {
  const seen = createRecentSet(1_000);
  let isReachable = true;
  const noteReachable = (now: boolean, fields?: Record<string, unknown>) => {
    if (now !== isReachable)
      log[now ? "info" : "warn"](now ? "telegram.reachable" : "telegram.unreachable", fields);
    isReachable = now;
  };
  return async (call, ...request) => {
    const [method, , signal] = request;
    if (method !== "getUpdates") return call(...request);
    const startedMs = clock.elapsedMs();
    try {
      const answer = await call(...request);
      noteReachable(answer.ok || answer.error_code === 409, answer.ok ? {} : { error: answer.description });
      if (!answer.ok) return answer;
      const updates = newUpdates(answer.result, { seen, log });
      // Whoever answers a long poll at once, with nothing, would be asked without a pause.
      if (updates.length === 0 && clock.elapsedMs() - startedMs < shortestPollMs) await clock.sleep(100);
      const filtered: { result: unknown } = answer;
      filtered.result = updates;
      return answer;
    } catch (error) {
      if (signal?.aborted !== true) noteReachable(false, { error: messageOf(error) });
      throw error;
    }
  };
}

function newUpdates(result: unknown, { seen, log }: { seen: RecentSet; log: Log }): object[] {
  const updates: unknown[] = Array.isArray(result) ? result : [];
  if (!Array.isArray(result)) log.warn("telegram.malformed", { what: "an answer without updates" });
  return updates.filter((update): update is object => {
    if (typeof update !== "object" || update === null || !("update_id" in update)) {
      log.warn("telegram.malformed", { what: "an update without an id" });
      return false;
    }
    return Number.isSafeInteger(update.update_id) && seen.add(String(update.update_id));
  });
}
