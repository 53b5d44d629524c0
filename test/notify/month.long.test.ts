import { describe, expect, test } from "vitest";
import { renderAlert } from "../../src/notify/alert-page.js";
import { isQuiet, parseQuietHours, type QuietHours } from "../../src/notify/quiet-hours.js";
import { expectNoSecret } from "../support/machine.js";
import { liveThrough, type Outage, type Run, type Told } from "../support/month.js";
import { createRandom } from "../support/random.js";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
const startAt = new Date("2026-11-01T00:00:00Z");
const canary = `ghs_${"CanaryOfThisMonth0123456789abcdefgh".repeat(2)}`;
const sentence = (code: string) => `The run ended with ${code}, and said ${canary}.`;
const night = parseQuietHours("22:00-07:00") ?? null;

const kinds = [
  { code: "github_unreachable", exit: 75, longestMs: 30 * minuteMs },
  { code: "github_unavailable", exit: 75, longestMs: 5 * hourMs },
  { code: "rate_limited", exit: 75, longestMs: hourMs },
  { code: "github_unreachable", exit: 75, longestMs: 30 * hourMs },
  { code: "key_mismatch", exit: 78, longestMs: 10 * hourMs },
  { code: "config_invalid", exit: 78, longestMs: 20 * minuteMs },
  { code: "installation_suspended", exit: 78, longestMs: 40 * hourMs },
] as const;

/** Outages of all kinds; some follow each other without a success in between, and some last minutes. */
function randomOutages(random: () => number, { days, perDay }: { days: number; perDay: number }): Outage[] {
  const outages: Outage[] = [];
  for (let atMs = hourMs; atMs < days * dayMs; atMs += random() * ((2 * dayMs) / perDay)) {
    const kind = kinds[Math.floor(random() * kinds.length)] ?? kinds[0];
    const toMs = atMs + minuteMs + random() * kind.longestMs;
    outages.push({ ...kind, fromMs: atMs, toMs, mended: kind.exit === 78 && random() < 0.7 });
    atMs = toMs;
  }
  return outages;
}

function live(
  options: Omit<Parameters<typeof liveThrough>[0], "days" | "startAt" | "chats" | "sentence"> & {
    days?: number;
  },
) {
  return liveThrough({ days: 30, startAt, chats: ["one", "two"], sentence, ...options });
}

const ofChat = (told: Told[], chat: string) => told.filter((each) => each.chat === chat);

/** Runs of failures without a success in between. */
function streaks(runs: Run[]): Run[][] {
  const found: Run[][] = [];
  for (const [index, run] of runs.entries()) {
    if (run.ok) continue;
    if (index === 0 || runs[index - 1]?.ok) found.push([]);
    found.at(-1)?.push(run);
  }
  return found;
}

function kindsOf({ alert }: Told): string[] {
  if (alert.type === "recovered") return alert.ended.map(({ since }) => `recovered ${since.toISOString()}`);
  const since = alert.outage.since.toISOString();
  return [`${since} ${alert.needsPerson ? alert.outage.last.code : ""} ${alert.outage.life}`];
}

function expectNothingTwice(messages: Told[]): void {
  const said = messages.flatMap(kindsOf);
  expect(said.filter((kind, index) => said.indexOf(kind) !== index)).toEqual([]);
}

/** What was told of the outage that these runs are. */
function messagesOf([first]: Run[], messages: Told[]) {
  return messages.flatMap(({ at, alert }) =>
    alert.type === "failing" && alert.outage.since.getTime() === first?.at.getTime()
      ? [{ at, ...alert }]
      : [],
  );
}

/** Six were sent within the day before. */
function isFull(at: Date, messages: Told[]): boolean {
  return messages.filter((each) => each.at < at && at.getTime() - each.at.getTime() < dayMs).length >= 6;
}

/** What a person had to know and was not told within a minute of the run, though there was room for it. */
function untoldIn(streak: Run[], messages: Told[]): string[] {
  const told = messagesOf(streak, messages);
  const inTime = (run: Run, at: Date) => at >= run.at && at.getTime() < run.at.getTime() + minuteMs;
  const codes = new Set(streak.filter(({ exit }) => exit === 78).map(({ code }) => code));
  const firsts = [...codes].flatMap((code) => streak.find((run) => run.code === code) ?? []);
  const personal = firsts.filter(
    (run) =>
      !told.some(
        ({ at, needsPerson, outage }) => inTime(run, at) && needsPerson && outage.last.code === run.code,
      ),
  );
  const dead = streak.filter(({ isDead }) => isDead).slice(0, 1);
  const unseen = dead.filter((run) => !told.some(({ at, outage }) => at <= run.at && outage.life === "dead"));
  return [...personal, ...unseen]
    .filter(({ at }) => !isFull(at, messages))
    .map(({ at, code }) => `not told of ${code} at ${at.toISOString()}`);
}

/** Who was told of an outage is told of its end, once; whoever was not hears nothing. */
function recoveryMistakes(
  streak: Run[],
  { messages, isOver }: { messages: Told[]; isOver: boolean },
): string[] {
  const [first] = streak;
  // The last ones of the month may still wait for a place among the six of a day.
  if (!first || !isOver || first.at.getTime() > startAt.getTime() + 28 * dayMs) return [];
  const ends = messages
    .flatMap(({ alert }) => alert.ended)
    .filter(({ since }) => since.getTime() === first.at.getTime());
  const expected = messagesOf(streak, messages).length > 0 ? 1 : 0;
  return ends.length === expected ? [] : [`${ends.length} ends of the outage of ${first.at.toISOString()}`];
}

function expectNoFlood(told: Told[]): void {
  for (const { at } of told) {
    const inOneDay = told.filter((other) => other.at <= at && at.getTime() - other.at.getTime() < dayMs);
    expect(inOneDay.length).toBeLessThanOrEqual(6);
  }
}

function expectQuiet(told: Told[], hours: QuietHours): void {
  for (const { at, alert } of told.filter((each) => isQuiet(hours, each.at)))
    expect({ at, alert }).toMatchObject({ alert: { type: "failing", outage: { life: "dead" } } });
}

function expectNoCanary(told: Told[]): void {
  const look = { hostName: "build-1", hasButtons: true, secrets: [] };
  const replies = told.map(({ alert, at }) => renderAlert(alert, { ...look, now: at }));
  expectNoSecret(JSON.stringify(replies), [canary]);
}

describe("a month with outages of all kinds", () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("each is told once, in time, without a flood (seed %i)", (seed) => {
    const outages = randomOutages(createRandom(seed), { days: 30, perDay: 0.8 });

    const { runs, told } = live({ outages, quietHours: null });

    expect(told.length).toBeGreaterThan(10);
    for (const chat of ["one", "two"]) {
      const messages = ofChat(told, chat);
      expectNothingTwice(messages);
      expectNoFlood(messages);
      const mistakes = streaks(runs).flatMap((streak) => {
        const isOver = streak.at(-1) !== runs.at(-1);
        return untoldIn(streak, messages).concat(recoveryMistakes(streak, { messages, isOver }));
      });
      expect(mistakes).toEqual([]);
    }
    expectNoCanary(told);
  });

  test.each([11, 12, 13, 14])("in quiet hours all of it waits unless the token is dead (seed %i)", (seed) => {
    const outages = randomOutages(createRandom(seed), { days: 30, perDay: 1 });

    const { runs, told } = live({ outages, quietHours: night });

    expect(night).not.toBeNull();
    if (night) expectQuiet(told, night);
    const messages = ofChat(told, "one");
    expect(messages.some(({ at }) => isQuiet(night, at))).toBe(true);
    expectNothingTwice(messages);
    expectNoFlood(messages);
    expect(runs.filter(({ at, ok }) => isQuiet(night, at) && !ok).length).toBeGreaterThan(0);
    expectNoCanary(told);
  });

  test.each([21, 22, 23])(
    "a chat out of reach is told at the first run that reaches it (seed %i)",
    (seed) => {
      const random = createRandom(seed);
      const outages = randomOutages(random, { days: 30, perDay: 2 });
      const away = new Map<number, boolean>();
      const isAway = (at: Date) => {
        const hour = Math.floor(at.getTime() / hourMs);
        if (!away.has(hour)) away.set(hour, random() < 0.6);
        return away.get(hour) === true;
      };

      const { runs, told } = live({
        outages,
        quietHours: null,
        isReachable: (chat, at) => chat === "one" || !isAway(at),
      });

      const messages = ofChat(told, "two");
      expect(messages.length).toBeGreaterThan(10);
      expectNothingTwice(messages);
      expectNoFlood(messages);
      for (const { at } of messages) expect(isAway(at)).toBe(false);
      const overlooked = streaks(runs).filter((streak) => {
        const run = streak.find(({ at, exit }) => exit === 78 && !isAway(at));
        const ofStreak = messagesOf(streak, messages);
        return run && !isFull(run.at, messages) && !ofStreak.some(({ at }) => at <= run.at);
      });
      expect(overlooked).toEqual([]);
    },
  );

  test("a host that fails and recovers every hour floods nobody, and is told when it gets worse", () => {
    const outages = Array.from({ length: 24 * 30 }, (_, hour): Outage => {
      return {
        code: "key_mismatch",
        exit: 78,
        fromMs: hour * hourMs,
        toMs: hour * hourMs + 46 * minuteMs,
        mended: true,
      };
    });

    const { told } = live({ outages, quietHours: null });

    const messages = ofChat(told, "one");
    expectNoFlood(messages);
    expect(messages.length).toBeGreaterThan(5 * 29);
    expect(messages.filter(({ alert }) => alert.type === "failing").length).toBeGreaterThan(2 * 29);
  });

  test("an outage whose beginning the log no longer holds is still the same one", () => {
    const outages: Outage[] = [
      { code: "github_unreachable", exit: 75, fromMs: hourMs, toMs: 4 * dayMs, mended: false },
    ];

    const { runs, told } = live({ outages, quietHours: null, days: 5 });

    expect(streaks(runs)[0]?.length).toBeGreaterThan(2000);
    const messages = ofChat(told, "one");
    expect(messages.map(({ alert }) => (alert.type === "failing" ? alert.outage.life : "recovered"))).toEqual(
      ["dying", "dead", "recovered"],
    );
    const [ended] = messages.at(-1)?.alert.ended ?? [];
    expect(ended?.since).toEqual(streaks(runs)[0]?.[0]?.at);
  });
});
