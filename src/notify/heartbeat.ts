import { messageOf } from "../errors.js";
import type { Log } from "../log/log.js";
import { redact } from "../token/redact.js";
import type { RefreshLogEntry } from "../token/refresh-log.js";

const limitMs = 10_000;
/** Of what could not be told, older lines say nothing new. */
const mostAtOnce = 5;

/** The lines whose outcome is still to be told, oldest first; `toldFor` is the last one that was, as `lineOf` names it. */
export function untoldEntries(
  entries: readonly RefreshLogEntry[],
  toldFor: string | null,
): readonly RefreshLogEntry[] {
  const told = entries.findLastIndex((entry) => lineOf(entry) === toldFor);
  return told === -1 ? entries.slice(-1) : entries.slice(told + 1).slice(-mostAtOnce);
}

/** What tells one line of the log from another. */
export function lineOf({ at, trigger, code }: RefreshLogEntry): string {
  return `${at} ${trigger} ${code}`;
}

/**
 * Tells a dead man's switch of each outcome, by healthchecks.io's convention: a GET of its URL for a success, a POST of the
 * sentence to `/fail` below it for a failure. Resolves with the last line that arrived, or null.
 */
export async function sendHeartbeats(
  url: URL,
  entries: readonly RefreshLogEntry[],
  log: Log,
): Promise<string | null> {
  let arrived: string | null = null;
  for (const entry of entries) {
    try {
      await sendHeartbeat(url, entry);
      arrived = lineOf(entry);
      log.info("heartbeat.sent", { host: url.host, ok: entry.ok });
    } catch (error) {
      log.warn("heartbeat.failed", { host: url.host, error: describe(error) });
      break;
    }
  }
  return arrived;
}

async function sendHeartbeat(url: URL, { ok, sentence }: RefreshLogEntry): Promise<void> {
  const target = new URL(url);
  if (!ok) target.pathname = `${target.pathname.replace(/\/$/, "")}/fail`;
  const answer = await fetch(target, {
    redirect: "error",
    signal: AbortSignal.timeout(limitMs),
    headers: { "user-agent": "takopi-ghauth" },
    ...(!ok && { method: "POST", body: redact(sentence) }),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`it answered ${answer.status}`);
}

/** Its address is as good as a secret. */
function describe(error: unknown): string {
  return error instanceof Error && error.cause ? messageOf(error.cause) : messageOf(error);
}
