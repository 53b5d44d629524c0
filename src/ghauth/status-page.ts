import type { ReplyField } from "../takopi/command-backend.js";
import type { TimerState } from "../system/systemd-timer.js";
import type { RateLimit } from "../token/refresh-log.js";
import { instant } from "./instant-field.js";
import type { Page } from "./page.js";
import type { Status } from "./read-status.js";

const levels = {
  fresh: "ok",
  stale: "warn",
  insecure: "warn",
  missing: "error",
  unreadable: "error",
  expired: "error",
} as const;

/** How things stand, as `/ghauth status` shows it; times are told relative to `now` and in UTC. */
export function describeStatus(
  status: Status,
  { now, timer, hasGh }: { now: Date; timer: TimerState; hasGh: boolean },
): Page {
  return {
    title: `GitHub token: ${status.state}`,
    level: status.state === "fresh" && status.problems.length > 0 ? "warn" : levels[status.state],
    fields: [
      ...statusFields(status, now),
      ...timerFields(timer, now),
      ...(hasGh ? [{ name: "gh", value: describeGh(status) }] : []),
    ],
    notes: status.problems,
  };
}

function statusFields(status: Status, now: Date): ReplyField[] {
  const { token, refreshed_at, expires_at, expires_in_seconds, last_refresh } = status;
  const fields: ReplyField[] = [];
  if (token)
    fields.push({ name: "prefix", value: `${token.prefix}…` }, { name: "sha256", value: token.sha256 });
  if (refreshed_at !== null) fields.push(instant("age", new Date(refreshed_at), { now }));
  if (expires_at !== null && expires_in_seconds !== null) {
    const name = expires_in_seconds > 0 ? "time left" : "expired";
    fields.push(instant(name, new Date(expires_at), { now, ...(expires_in_seconds <= 0 && ago) }));
  }
  if (last_refresh) {
    const outcome = last_refresh.ok ? "succeeded" : `failed (${last_refresh.code})`;
    fields.push(
      instant("last refresh", new Date(last_refresh.at), {
        now,
        lead: `${last_refresh.trigger}, ${outcome}, `,
        ...ago,
      }),
    );
  }
  if (last_refresh?.rate_limit) fields.push(callsLeft(last_refresh.rate_limit, now));
  return fields;
}

/** What the App may still call this hour, as GitHub said when the token was tried. */
function callsLeft({ limit, remaining, reset_at }: RateLimit, now: Date): ReplyField {
  const resetAt = new Date(reset_at);
  return resetAt > now
    ? instant("calls left", resetAt, { now, lead: `${remaining} of ${limit}, all again `, before: "in " })
    : { name: "calls left", value: `${limit}: the hour of the last refresh is over` };
}

/** What gh calls who has no account: for it, an installation token is nobody's. */
const nameless = new Set([null, "", "x-access-token"]);

function describeGh({ gh }: Status): string {
  if (gh === null) return "not logged in";
  return nameless.has(gh.login)
    ? "logged in with a token without a name (GitHub App)"
    : `logged in as ${gh.login}`;
}

/** The timer's state, its next run and its last. */
export function timerFields(timer: TimerState, now: Date): ReplyField[] {
  if (timer.type === "none") return [];
  if (timer.type === "unreachable")
    return [{ name: "timer", value: `cannot be seen from here: ${timer.reason}` }];
  if (timer.type === "not_installed") return [{ name: "timer", value: "not installed" }];

  const { enabled, active, nextAt, lastAt, lastResult, lastExitStatus, retrying } = timer;
  const words = [active ? "active" : "not active", enabled ? "enabled" : "not enabled"];
  if (timer.notLingering !== null) words.push("but lingering is off");
  const fields: ReplyField[] = [{ name: "timer", value: words.join(", ") }];
  if (nextAt) fields.push(instant("next run", nextAt, { now, before: "in " }));
  if (lastAt) {
    const hasFailed = lastResult !== null && !["success", "running"].includes(lastResult);
    const outcome = hasFailed
      ? `${lastResult} ${lastExitStatus}${retrying ? " (tries again every minute)" : ""}`
      : lastResult;
    fields.push(instant("last run", lastAt, { now, lead: outcome === null ? "" : `${outcome}, `, ...ago }));
  }
  return fields;
}

/** How `flow` tells when the refresh script runs by itself. */
export function scheduleFields(timer: TimerState, now: Date): ReplyField[] {
  const fields = timerFields(timer, now);
  if (timer.type !== "installed" || timer.calendar.length === 0) return fields;
  const calendar = timer.calendar.toSorted();
  const value =
    calendar.join("\n") === ourCalendar.join("\n") ? "every 45 minutes" : `at ${calendar.join(", ")}`;
  return [{ name: "schedule", value }, ...fields];
}

/** 45 minutes apart, all day: what the timer has unless somebody changed it. */
const ourCalendar = ["*-*-* 00/3:00:00", "*-*-* 00/3:45:00", "*-*-* 01/3:30:00", "*-*-* 02/3:15:00"];

const ago = { after: " ago" };
