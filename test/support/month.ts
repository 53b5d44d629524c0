import { type Alert, decide } from "../../src/notify/decide.js";
import { type Memory, nothingRemembered, parseMemory } from "../../src/notify/memory.js";
import type { QuietHours } from "../../src/notify/quiet-hours.js";
import type { RefreshLogEntry } from "../../src/token/refresh-log.js";

/** What goes wrong meanwhile: `code` and `exit` of each run that begins within. */
export type Outage = { fromMs: number; toMs: number; code: string; exit: 75 | 78; mended: boolean };
export type Run = { at: Date; ok: boolean; code: string; exit: number; isDead: boolean };
export type Told = { chat: string; at: Date; alert: Alert };

const minuteMs = 60_000;
const tickMs = 45 * minuteMs;
const lifeMs = 60 * minuteMs;
/** What a run takes. */
const runMs = 3_000;
const keptLines = 1000;

/**
 * Days of a host: a timer's ticks, and after a transient failure a retry every minute; after each run one look at the log, by
 * which chats are told. A person who mends what is wrong starts the service at once.
 */
export function liveThrough({
  days,
  startAt,
  outages,
  chats,
  quietHours,
  sentence,
  isReachable = () => true,
}: {
  days: number;
  startAt: Date;
  outages: readonly Outage[];
  chats: readonly string[];
  quietHours: QuietHours | null;
  sentence: (code: string) => string;
  isReachable?: (chat: string, at: Date) => boolean;
}): { runs: Run[]; told: Told[] } {
  const runs: Run[] = [];
  const told: Told[] = [];
  const entries: RefreshLogEntry[] = [];
  const endMs = days * 24 * 60 * minuteMs;
  const mendings = outages.filter(({ mended }) => mended).map(({ toMs }) => toMs);
  let diesAtMs = 0;
  let nextTickMs = 0;
  let retryMs = Infinity;
  let file = JSON.stringify(nothingRemembered);

  for (;;) {
    const mendingMs = mendings[0] ?? Infinity;
    const atMs = Math.min(nextTickMs, retryMs, mendingMs);
    if (atMs > endMs) return { runs, told };
    if (atMs === mendingMs) mendings.shift();
    if (atMs === nextTickMs) nextTickMs += tickMs;
    const outage = outages.find(({ fromMs, toMs }) => fromMs <= atMs && atMs < toMs);
    const doneMs = atMs + runMs;
    const now = new Date(startAt.getTime() + doneMs);
    if (!outage) diesAtMs = doneMs + lifeMs;
    const code = outage?.code ?? "refreshed";
    entries.push(
      entryOf({ now, outage, sentence: sentence(code), diesAt: new Date(startAt.getTime() + diesAtMs) }),
    );
    entries.splice(0, entries.length - keptLines);
    retryMs = outage?.exit === 75 ? doneMs + minuteMs : Infinity;
    runs.push({ at: now, ok: !outage, code, exit: outage?.exit ?? 0, isDead: diesAtMs <= doneMs });

    // A process of its own each time: what it knows is in the file.
    const decided = decide({ entries, memory: parseMemory(file), chats, now, settings: { quietHours } });
    const after: Memory = { ...decided.memory, chats: { ...decided.memory.chats } };
    for (const { chat, alert, ifTold, ifMissed } of decided.decisions) {
      const arrives = isReachable(chat, now);
      if (arrives) told.push({ chat, at: now, alert });
      after.chats[chat] = arrives ? ifTold : ifMissed;
    }
    file = JSON.stringify(after);
  }
}

function entryOf({
  now,
  outage,
  sentence,
  diesAt,
}: {
  now: Date;
  outage: Outage | undefined;
  sentence: string;
  diesAt: Date;
}): RefreshLogEntry {
  return {
    at: now.toISOString(),
    trigger: "timer",
    by: null,
    ok: !outage,
    ms: runMs,
    code: outage?.code ?? "refreshed",
    exit: outage?.exit ?? 0,
    sentence,
    expires_at: outage ? null : diesAt.toISOString(),
    sha256: outage ? null : "0123abcd",
    rate_limit: null,
    refused_at: null,
  };
}
