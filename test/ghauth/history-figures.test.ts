import { expect, test } from "vitest";
import { computeFigures, type SlotState } from "../../src/ghauth/history/figures.js";
import { parseHours } from "../../src/ghauth/history/parse-hours.js";
import type { RefreshLogEntry } from "../../src/token/refresh-log.js";
import { createRandom } from "../support/random.js";
import { logEntry } from "../support/refresh-log-lines.js";

const now = new Date("2026-10-25T12:00:00.000Z"); // on which Europe's clocks were set back
const minute = 60_000;
const slot = 45 * minute;

/** An entry of so many minutes ago. */
const ago = (minutes: number, more: Partial<RefreshLogEntry> = {}) =>
  logEntry(new Date(now.getTime() - minutes * minute), more);
const failed = (minutes: number, more: Partial<RefreshLogEntry> = {}) => ago(minutes, { ok: false, ...more });
const minutesBefore = (at: Date) => (now.getTime() - at.getTime()) / minute;
const figuresOf = (
  entries: RefreshLogEntry[],
  { hours = 24, refusedAt = null }: { hours?: number; refusedAt?: Date | null } = {},
) => computeFigures(entries, { now, hours, refusedAt });

/** Successes every 45 minutes, from 36 hours ago until 40 minutes ago, but for those that would have begun within `gaps`. */
const steady = (...gaps: [from: number, to: number][]) =>
  Array.from({ length: 48 }, (_, index) => (48 - index) * 45 - 5)
    .filter((minutes) => !gaps.some(([from, to]) => minutes <= from && minutes >= to))
    .map((minutes) => ago(minutes));

type Case = {
  entries: RefreshLogEntry[];
  hours?: number;
  refusedAt?: Date;
  /** In minutes ago, oldest first. */
  gaps: [from: number, to: number][];
  /** Of how many minutes it is known. */
  known?: number;
};

const cases: Record<string, Case> = {
  "a success every 45 minutes": { entries: steady(), gaps: [] },
  "one outage, of which the token lives through the first hour": {
    entries: steady([400, 265]),
    gaps: [[385, 220]],
  },
  "two outages, the second of which lasts": {
    entries: steady([1300, 1255], [40, 0]),
    gaps: [
      [1285, 1210],
      [25, 0],
    ],
  },
  "a failure that was retried while the token lived": {
    entries: [ago(100), failed(60), failed(59), ago(58)],
    known: 100,
    gaps: [],
  },
  "failures until long after it had died": {
    entries: [ago(200), failed(155), failed(110), failed(65), ago(20)],
    known: 200,
    gaps: [[140, 20]],
  },
  "a log that begins with a failure": { entries: [failed(90), ago(60)], known: 90, gaps: [[90, 60]] },
  "a log that has only failures": { entries: [failed(90), failed(45)], known: 90, gaps: [[90, 0]] },
  "a token from before the window": { entries: [ago(80), ago(35)], hours: 1, gaps: [] },
  "a token that died within the window": { entries: [ago(100)], hours: 1, gaps: [[40, 0]] },
  "a token that died before the window": { entries: [ago(200)], hours: 1, gaps: [[60, 0]] },
  "a run that took two minutes published at its end": {
    entries: [failed(70), ago(60, { ms: 2 * minute, expires_at: ago(0).at })],
    known: 70,
    gaps: [[70, 58]],
  },
  "a first run that took a minute is no gap": {
    entries: [ago(31, { ms: minute })],
    known: 30,
    gaps: [],
  },
  "a token that was marked until it was replaced": {
    entries: [ago(100), ago(60, { refused_at: ago(75).at }), ago(15)],
    known: 100,
    gaps: [[75, 60]],
  },
  "a token that was marked, told by a run that failed too": {
    entries: [ago(50), failed(30, { refused_at: ago(35).at }), ago(10)],
    known: 50,
    gaps: [[35, 10]],
  },
  "a mark that came after the token's end": {
    entries: [ago(100), ago(20, { refused_at: ago(25).at })],
    known: 100,
    gaps: [[40, 20]],
  },
  "the held token is marked": {
    entries: [ago(50)],
    refusedAt: new Date(ago(12).at),
    known: 50,
    gaps: [[12, 0]],
  },
  "a new token ends the one before, whatever that had left": {
    entries: [ago(40), ago(30, { expires_at: ago(20).at })],
    known: 40,
    gaps: [[20, 0]],
  },
  "a run that was stopped after it had published": {
    entries: [ago(90), failed(45, { code: "stopped", sha256: "0123abcd", expires_at: ago(-15).at })],
    known: 90,
    gaps: [],
  },
  "a token without a known expiry counts for an hour": {
    entries: [ago(90, { expires_at: null })],
    known: 90,
    gaps: [[30, 0]],
  },
};

test.each(Object.entries(cases))("%s", (_what, { entries, hours = 24, refusedAt, known, gaps }) => {
  const figures = figuresOf(entries, { hours, ...(refusedAt && { refusedAt }) });
  const found = figures.gaps.map(({ from, to }) => [minutesBefore(from), minutesBefore(to)]);
  expect(found).toEqual(gaps);
  const lengths = gaps.map(([from, to]) => from - to);
  const whole = known ?? hours * 60;
  const { uptime, longest_gap_seconds } = figures.history;
  const down = lengths.reduce((sum, length) => sum + length, 0);
  expect(uptime?.toFixed(9)).toBe((1 - down / whole).toFixed(9));
  expect(longest_gap_seconds).toBe(Math.max(0, ...lengths) * 60);
});

test("without a log neither uptime nor a gap is known, and no slot has an attempt", () => {
  const { history, since } = figuresOf([]);
  expect({ ...history, slots: history.slots.map(({ state }) => state), since }).toEqual({
    hours: 24,
    uptime: null,
    longest_gap_seconds: null,
    slots: Array.from({ length: 32 }, () => "none"),
    attempts: [],
    since: null,
  });
});

test("of lines from before the clock was set back nothing is known", () => {
  const { history, gaps } = figuresOf([ago(-30), ago(20)]);
  expect({ ...history, gaps }).toMatchObject({ uptime: null, longest_gap_seconds: null, gaps: [] });
});

test("a gap tells whether GitHub refused the token", () => {
  const refused = figuresOf([ago(100), ago(60, { refused_at: ago(75).at }), failed(1)]);
  expect(refused.gaps.map(({ isRefusal }) => isRefusal)).toEqual([true]);
  expect(figuresOf([ago(100)]).gaps.map(({ isRefusal }) => isRefusal)).toEqual([false]);
});

test("a slot has 45 minutes, and the last one ends now", () => {
  const { slots } = figuresOf([]).history;
  expect(slots).toHaveLength(32);
  expect(slots[0]?.at).toBe("2026-10-24T12:00:00.000Z");
  expect(slots[31]?.at).toBe("2026-10-25T11:15:00.000Z");
  expect([1, 2, 3, 24, 168].map((hours) => figuresOf([], { hours }).history.slots.length)).toEqual([
    2, 3, 4, 32, 224,
  ]);
});

test.each<[number, string]>([
  [0, "a slot that ends now holds what began now"],
  [45, "its own beginning belongs to it"],
])("an attempt of %i minutes ago is in the last slot: %s", (minutes) => {
  const states = figuresOf([failed(minutes)]).history.slots.map(({ state }) => state);
  expect(states.indexOf("failed")).toBe(31);
});

test("the attempts are the newest 50 of the log, newest first, whatever the hours", () => {
  const entries = Array.from({ length: 60 }, (_, index) => ago(60_000 - index));
  expect(figuresOf(entries, { hours: 1 }).history.attempts).toEqual(entries.slice(-50).toReversed());
});

/** A log of whole minutes, with successes, failures, marks, short-lived tokens and long pauses. */
function randomLog(random: () => number): { entries: RefreshLogEntry[]; refusedAt: Date | null } {
  const below = (most: number) => Math.floor(random() * most);
  const entries: RefreshLogEntry[] = [];
  for (let minutes = 2000 + below(2000); minutes > 0; minutes -= 1 + below(random() < 0.1 ? 600 : 50)) {
    const more: Partial<RefreshLogEntry> = {
      ...(random() < 0.1 && { refused_at: ago(minutes + below(70)).at }),
    };
    if (random() < 0.4) entries.push(failed(minutes, more));
    else
      entries.push(
        ago(minutes, { ...more, expires_at: random() < 0.1 ? null : ago(minutes - below(61)).at }),
      );
  }
  return { entries, refusedAt: random() < 0.3 ? new Date(ago(below(60)).at) : null };
}

/** Whether there was a working token in the middle of a minute: the definition, read slowly. */
function works(entries: RefreshLogEntry[], refusedAt: Date | null, atMs: number): boolean {
  const index = entries.findLastIndex(({ ok, at }) => ok && Date.parse(at) <= atMs);
  const held = entries[index];
  if (!held) return false;
  const expiresMs =
    held.expires_at === null ? Date.parse(held.at) + 60 * minute : Date.parse(held.expires_at);
  const next = entries.findIndex(({ ok }, at) => at > index && ok);
  const after = entries.slice(index + 1, next === -1 ? undefined : next + 1);
  const marks = after.flatMap(({ refused_at }) => (refused_at === null ? [] : [Date.parse(refused_at)]));
  if (next === -1 && refusedAt) marks.push(refusedAt.getTime());
  return atMs < expiresMs && marks.every((markMs) => atMs < markMs);
}

function slowState(entries: RefreshLogEntry[], at: string): SlotState {
  const fromMs = Date.parse(at);
  const within = entries.filter((entry) => {
    const atMs = Date.parse(entry.at);
    return atMs >= fromMs && atMs < fromMs + slot;
  });
  const successes = within.filter(({ ok }) => ok).length;
  if (within.length === 0) return "none";
  if (successes === 0) return "failed";
  return successes === within.length ? "ok" : "retried";
}

test("over 300 random logs, uptime, gaps and slots are those of the definition", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const { entries, refusedAt } = randomLog(createRandom(seed));
    const hours = 1 + (seed % 48);
    const { history, gaps } = figuresOf(entries, { hours, refusedAt });
    const first = entries[0];
    const known = Math.min(hours * 60, first ? minutesBefore(new Date(first.at)) : 0);
    const middles = Array.from(
      { length: known },
      (_, index) => now.getTime() - (known - index - 0.5) * minute,
    );
    const up = middles.map((atMs) => works(entries, refusedAt, atMs));

    expect({ seed, uptime: history.uptime?.toFixed(9) }).toEqual({
      seed,
      uptime: (up.filter(Boolean).length / known).toFixed(9),
    });
    const longest = up
      .map((isUp) => (isUp ? " " : "x"))
      .join("")
      .split(" ")
      .reduce((most, { length }) => Math.max(most, length), 0);
    expect({ seed, longest: history.longest_gap_seconds }).toEqual({ seed, longest: longest * 60 });
    expect(gaps.every(({ from, to }) => from < to && to <= now)).toBe(true);
    for (const { at, state } of history.slots)
      expect({ seed, at, state }).toEqual({ seed, at, state: slowState(entries, at) });
  }
});

test("uptime is a share, and slots are counted, whatever the lines say and however they are ordered", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = createRandom(seed);
    const wild = (most: number) => Math.round((random() - 0.3) * most);
    const entries = Array.from({ length: 40 }, () =>
      ago(wild(3000), {
        ok: random() < 0.5,
        ms: wild(100_000),
        expires_at: random() < 0.2 ? null : ago(wild(3000)).at,
        refused_at: random() < 0.2 ? ago(wild(3000)).at : null,
      }),
    );
    const { history } = figuresOf(entries, {
      refusedAt: random() < 0.5 ? new Date(ago(wild(100)).at) : null,
    });
    const uptime = history.uptime ?? 0;
    expect(uptime).toBeGreaterThanOrEqual(0);
    expect(uptime).toBeLessThanOrEqual(1);
    expect(history.slots).toHaveLength(32);
  }
});

test("a full log over a week takes under a tenth of a second of computing", () => {
  const entries = Array.from({ length: 1000 }, (_, index) =>
    ago((1000 - index) * 10, { ok: index % 3 === 0 }),
  );
  const before = process.cpuUsage();
  figuresOf(entries, { hours: 168 });
  expect(process.cpuUsage(before).user).toBeLessThan(100_000);
});

test.each<[string[], number]>([
  [[], 24],
  [["1"], 1],
  [["48"], 48],
  [["168"], 168],
  [["024"], 24],
])("HOURS %j is %i", (words, hours) => {
  expect(parseHours(words)).toBe(hours);
});

test.each([["0"], ["169"], ["-1"], ["1.5"], ["1e2"], ["a day"], [""], ["24h"], ["٢٤"], ["0x10"]])(
  "HOURS %j is refused with a sentence",
  (word) => {
    expect(() => parseHours([word])).toThrow("a number of hours, 1 to 168");
    expect(() => parseHours(["24", word])).toThrow("a number of hours, 1 to 168");
  },
);
