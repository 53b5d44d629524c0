import { assumedLifeMs } from "../../token/judge-token-file.js";
import type { RefreshLogEntry } from "../../token/refresh-log.js";

/** What the attempts of a slot came to: only successes, failures and a success, only failures, or no attempt. */
export const slotStates = ["ok", "retried", "failed", "none"] as const;
export type SlotState = (typeof slotStates)[number];

/** `at` is the slot's start. */
export type Slot = { at: string; state: SlotState };

/** What `history --json` prints; without a log there is neither uptime nor a gap. */
export type History = {
  hours: number;
  /** The share of the time with a working token, 0 to 1. */
  uptime: number | null;
  longest_gap_seconds: number | null;
  slots: Slot[];
  /** Newest first. */
  attempts: RefreshLogEntry[];
};

/** A time without a working token: since GitHub refused one before its time, or since one expired, or was not there yet. */
export type Gap = { from: Date; to: Date; isRefusal: boolean };

export type Figures = {
  history: History;
  /** Oldest first. */
  gaps: Gap[];
  /** Since when it is known whether there was a working token; null where it is not. */
  since: Date | null;
};

const hourMs = 60 * 60_000;
/** The timer's interval. */
const slotMs = 45 * 60_000;
export const slotsADay = (24 * hourMs) / slotMs;
const mostAttempts = 50;

/** The figures of the last hours from the refresh log's entries, oldest first. `refusedAt`: since when the held token is marked. */
export function computeFigures(
  entries: readonly RefreshLogEntry[],
  { now, hours, refusedAt }: { now: Date; hours: number; refusedAt: Date | null },
): Figures {
  const nowMs = now.getTime();
  const sinceMs = Math.max(nowMs - hours * hourMs, beginningOf(entries));
  const isKnown = sinceMs < nowMs;
  const gaps = isKnown ? gapsBetween(livesOf(entries, refusedAt), { sinceMs, nowMs }) : [];
  const lengths = gaps.map(({ from, to }) => to.getTime() - from.getTime());
  const downMs = lengths.reduce((sum, ms) => sum + ms, 0);
  return {
    history: {
      hours,
      uptime: isKnown ? 1 - downMs / (nowMs - sinceMs) : null,
      longest_gap_seconds: isKnown ? Math.round(Math.max(0, ...lengths) / 1000) : null,
      slots: slotsOf(entries, { count: Math.ceil((hours * hourMs) / slotMs), nowMs }),
      attempts: entries.slice(-mostAttempts).toReversed(),
    },
    gaps,
    since: isKnown ? new Date(sinceMs) : null,
  };
}

/** When what an entry tells of was done. */
export function endOf({ at, ms }: RefreshLogEntry): number {
  return Date.parse(at) + ms;
}

/** A log that begins with a success knows of a token from then on, and not from when that run began. */
function beginningOf([first]: readonly RefreshLogEntry[]): number {
  if (!first) return Number.POSITIVE_INFINITY;
  return hasPublished(first) ? endOf(first) : Date.parse(first.at);
}

/** A run that was stopped while gh was being updated has failed, and its token is published all the same. */
function hasPublished({ ok, sha256 }: RefreshLogEntry): boolean {
  return ok || sha256 !== null;
}

type Life = { fromMs: number; toMs: number; isRefused: boolean };

/** From when to when each published token worked. */
function livesOf(entries: readonly RefreshLogEntry[], refusedAt: Date | null): Life[] {
  const lives: Life[] = [];
  const end = (atMs: number, isRefused: boolean) => {
    const held = lives.at(-1);
    if (held && atMs < held.toMs) Object.assign(held, { toMs: atMs, isRefused });
  };
  for (const entry of entries) {
    if (entry.refused_at !== null) end(Date.parse(entry.refused_at), true);
    if (!hasPublished(entry)) continue;
    const fromMs = endOf(entry);
    end(fromMs, false); // nobody uses what was replaced
    const toMs = entry.expires_at === null ? fromMs + assumedLifeMs : Date.parse(entry.expires_at);
    lives.push({ fromMs, toMs, isRefused: false });
  }
  if (refusedAt) end(refusedAt.getTime(), true);
  return lives;
}

function gapsBetween(lives: readonly Life[], { sinceMs, nowMs }: { sinceMs: number; nowMs: number }): Gap[] {
  const gaps: Gap[] = [];
  let covered = { toMs: sinceMs, isRefused: false };
  const closeGap = (toMs: number) => {
    if (covered.toMs < toMs)
      gaps.push({ from: new Date(covered.toMs), to: new Date(toMs), isRefusal: covered.isRefused });
  };
  // A clock that was set back leaves lines that are not in order.
  const inOrder = lives
    .filter(({ fromMs, toMs }) => fromMs < Math.min(toMs, nowMs))
    .toSorted((a, b) => a.fromMs - b.fromMs);
  for (const { fromMs, toMs, isRefused } of inOrder) {
    closeGap(fromMs);
    if (toMs > covered.toMs) covered = { toMs, isRefused };
  }
  closeGap(nowMs);
  return gaps;
}

/** The last slot ends now. */
function slotsOf(
  entries: readonly RefreshLogEntry[],
  { count, nowMs }: { count: number; nowMs: number },
): Slot[] {
  const firstMs = nowMs - count * slotMs;
  const tallies = Array.from({ length: count }, () => ({ succeeded: 0, failed: 0 }));
  for (const { at, ok } of entries) {
    const atMs = Date.parse(at);
    if (atMs > nowMs) continue;
    const tally = tallies[Math.min(Math.floor((atMs - firstMs) / slotMs), count - 1)];
    if (tally) tally[ok ? "succeeded" : "failed"]++;
  }
  return tallies.map(({ succeeded, failed }, index) => ({
    at: new Date(firstMs + index * slotMs).toISOString(),
    state: stateOf(succeeded, failed),
  }));
}

function stateOf(succeeded: number, failed: number): SlotState {
  if (succeeded === 0) return failed === 0 ? "none" : "failed";
  return failed === 0 ? "ok" : "retried";
}
