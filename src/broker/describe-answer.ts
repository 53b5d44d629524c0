import type { BusyLog } from "../log/log.js";
import type { Clock } from "../system/clock.js";
import type { HeldToken } from "./held-token.js";
import type { Metrics } from "./metrics.js";
import type { Question } from "./question.js";

export type AnswerDeps = { clock: Clock; metrics: Metrics; log: BusyLog };

export const jsonHeaders = { "content-type": "application/json", "cache-control": "no-store" };

/** The body of a 200: compact, since old clients cut it with sed. Nothing in a token, a time or a name needs escaping. */
export function renderToken({ secret, expiry }: HeldToken, { repository }: Question): string {
  const rest = `"${secret.reveal()}","expires_at":${expiry === null ? "null" : `"${expiry}"`}}`;
  return repository
    ? `{"namespace":"${repository.owner}","repository":"${repository.name}","access_token":${rest}`
    : `{"token":${rest}`;
}

/** What the log says of a request. */
export type Said = Record<string, string | number | undefined>;

/** What the log says of a token that is served, now and later. */
export function describeToken({ fingerprint, expiry }: HeldToken, from: string): Said {
  return { from, sha256: fingerprint, expires_at: expiry ?? undefined };
}

/** Counts an answer, and tells what the log says of every one. */
export function conclude(
  { clock, metrics }: Pick<AnswerDeps, "clock" | "metrics">,
  { route, status, startedMs }: { route: string; status: number; startedMs: number },
): { status: number; ms: number } {
  const ms = clock.elapsedMs() - startedMs;
  metrics.answered(route, status, ms);
  return { status, ms: Math.round(ms * 10) / 10 };
}
