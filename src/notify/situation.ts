import { traitsOf } from "../errors.js";
import type { RefreshLogEntry } from "../token/refresh-log.js";
import type { Memory } from "./memory.js";

/** A token with less than this left is about to die. */
const dyingMs = 10 * 60_000;
/** How long GitHub lets a token live, for one whose end is not known. */
const lifeMs = 60 * 60_000;

export type Life = "alive" | "dying" | "dead";

/** How refreshing stands, as the refresh log tells. */
export type Situation = {
  /** When the last published token ends, or ended. */
  diesAt: Date | null;
  /** The outage that goes on: since its first failure, and its last one. */
  outage: { since: Date; last: RefreshLogEntry; life: Life } | null;
};

/** `entries` are the log's, oldest first; it holds 1,000, so what it lost is taken from memory. */
export function assess(
  entries: readonly RefreshLogEntry[],
  { failingSince, diesAt: rememberedEnd }: Pick<Memory, "failingSince" | "diesAt">,
  now: Date,
): Situation {
  const lastOk = entries.findLastIndex(({ ok }) => ok);
  const published = entries[lastOk];
  const diesAt = published ? endOf(published) : rememberedEnd;
  const last = entries.at(-1);
  if (!last || last.ok) return { diesAt, outage: null };
  const first = new Date(entries[lastOk + 1]?.at ?? last.at);
  const since = published || failingSince === null ? first : failingSince;
  return { diesAt, outage: { since, last, life: lifeOf(diesAt, last, now) } };
}

/** When an outage that began at `since` ended: with the first success after it. */
export function endOfOutage(entries: readonly RefreshLogEntry[], since: Date): Date | null {
  const start = entries.findIndex(({ at }) => Date.parse(at) === since.getTime());
  const end = entries.slice(start + 1).find(({ ok }) => ok);
  return end ? new Date(end.at) : null;
}

function endOf({ at, expires_at }: RefreshLogEntry): Date {
  return expires_at === null ? new Date(Date.parse(at) + lifeMs) : new Date(expires_at);
}

function lifeOf(diesAt: Date | null, last: RefreshLogEntry, now: Date): Life {
  const leftMs = (diesAt?.getTime() ?? 0) - now.getTime();
  if (leftMs <= 0 || traitsOf(last.code)?.endsTokens === true) return "dead";
  return leftMs < dyingMs ? "dying" : "alive";
}
