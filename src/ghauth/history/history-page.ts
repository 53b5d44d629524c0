import type { RefreshLogEntry } from "../../token/refresh-log.js";
import type { ReplyField } from "../../takopi/command-backend.js";
import type { Page } from "../page.js";
import { endOf, type Figures, type Gap } from "./figures.js";
import { dayAndTime } from "./strip.js";

/** `entries` is all of the log, oldest first. */
type Shown = { now: Date; entries: readonly RefreshLogEntry[] };

const mostGaps = 3;

/** A log's figures as `/ghauth history` shows them; times are in UTC. */
export function describeHistory(
  { history, gaps, since }: Figures,
  { now, entries, attempts, strip }: Shown & { attempts: number; strip: string },
): Page {
  const { hours, uptime } = history;
  const what = `GitHub token, last ${hours} h`;
  const begun = history.attempts.length > 0;
  if (uptime === null || since === null) {
    const why = begun
      ? "the refresh log's lines are of a time that is still to come, so the clock was set back"
      : "the refresh log has no line yet";
    return { title: `${what}: unknown, for ${why}`, level: "warn", ...(begun && { strip }) };
  }
  const isDown = gaps.at(-1)?.to.getTime() === now.getTime();
  const worst = gaps.toSorted((a, b) => lengthOf(b) - lengthOf(a)).slice(0, mostGaps);
  return {
    title: `${what}: working ${gaps.length === 0 ? "all the time" : `${percent(uptime)} of the time`}`,
    level: isDown ? "error" : gaps.length > 0 ? "warn" : "ok",
    strip,
    fields: [
      ...(worst[0] ? [describeLongest(worst[0], gaps.length)] : []),
      ...worst.map((gap) => describeGap(gap, { now, entries })),
      { name: "last attempts", value: "newest first, times in UTC" },
      ...history.attempts.slice(0, attempts).map((entry) => describeAttempt(entry)),
    ],
    notes: beginningNote(since, new Date(now.getTime() - hours * 60 * minuteMs)),
  };
}

const minuteMs = 60_000;

function describeAttempt({ at, trigger, by, ok, code, ms }: RefreshLogEntry): ReplyField {
  const who = by === null ? trigger : `${trigger} (${by})`;
  const result = ok ? "ok" : `failed (${code})`;
  return { name: dayAndTime(new Date(at)), value: `${who}, ${result}, ${(ms / 1000).toFixed(1)} s` };
}

function describeLongest(gap: Gap, count: number): ReplyField {
  const length = duration(lengthOf(gap));
  return { name: "longest gap", value: count === 1 ? length : `${length}, of ${count} gaps` };
}

function describeGap(gap: Gap, { now, entries }: Shown): ReplyField {
  const begin = dayAndTime(gap.from);
  const end = gap.to.getTime() === now.getTime() ? "now" : dayAndTime(gap.to);
  const [day = ""] = begin.split(" ");
  return {
    name: `${begin} – ${end.replace(`${day} `, "")}`,
    value: `${duration(lengthOf(gap))}; ${whyOf(gap, entries).join("; ")}`,
  };
}

/** Why the token ended, and what was tried after the success before, until the gap was over. */
function whyOf({ to, isRefusal }: Gap, entries: readonly RefreshLogEntry[]): string[] {
  const before = entries.filter((entry) => endOf(entry) < to.getTime());
  const failures = before.slice(before.findLastIndex(({ ok }) => ok) + 1);
  const last = failures.at(-1);
  const refusal = isRefusal ? ["the token was revoked, or GitHub refused it"] : [];
  if (last) {
    const howMany = failures.length === 1 ? "1 refresh" : `${failures.length} refreshes`;
    return [...refusal, `${howMany} failed, last with: ${last.sentence}`];
  }
  return isRefusal ? refusal : ["nothing tried to refresh it (was the host down, or its timer?)"];
}

function beginningNote(since: Date, windowStart: Date): string[] {
  if (since.getTime() - windowStart.getTime() < minuteMs) return [];
  return [`The refresh log begins ${dayAndTime(since)} UTC: what was before is not counted.`];
}

function lengthOf({ from, to }: Gap): number {
  return to.getTime() - from.getTime();
}

/** Never 100 % of a time that has gaps. */
function percent(share: number): string {
  return `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / minuteMs);
  if (minutes < 1) return `${Math.round(ms / 1000)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
