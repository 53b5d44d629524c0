import { renderPage } from "../ghauth/page.js";
import { instant, utc } from "../ghauth/instant-field.js";
import type { Action, Reply, ReplyField } from "../takopi/command-backend.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";
import type { Alert } from "./decide.js";
import type { EndedOutage } from "./memory.js";

type Look = {
  hostName: string;
  now: Date;
  /** Whether somebody is there who answers a button. */
  hasButtons: boolean;
  /** What must not be in a failure's sentence, beside what looks like a credential. */
  secrets: readonly Secret[];
};

const buttons: readonly Action[] = ["refresh", "doctor"];

/** An alert as a chat shows it: what is wrong, since when, how long the token lives, and the failure's sentence. */
export function renderAlert(alert: Alert, { hostName, now, hasButtons, secrets }: Look): Reply {
  const host = { name: "host", value: hostName };
  const actions = hasButtons ? buttons : [];
  const { diesAt, ended } = alert;
  if (alert.type === "recovered") {
    const fields = [host, ...ended.map((outage) => ({ name: "failed for", value: describe(outage) }))];
    if (diesAt !== null) fields.push(instant("expires", diesAt, { now, before: "in " }));
    return renderPage({ title: "GitHub token: refreshed again", level: "ok", fields, actions });
  }
  const { since, last, life } = alert.outage;
  const fields: ReplyField[] = [
    host,
    instant("failing since", since, { now, after: " ago" }),
    ...tokenFields(alert, now),
    ...ended.map((outage) => ({ name: "an earlier failure", value: `it lasted ${describe(outage)}` })),
  ];
  const level = alert.needsPerson || life === "dead" ? "error" : "warn";
  return renderPage({
    title: titleOf(alert),
    level,
    fields,
    notes: [redact(last.sentence, secrets)],
    actions,
  });
}

function titleOf({ outage: { life }, needsPerson }: Extract<Alert, { type: "failing" }>): string {
  const what = {
    alive: "refreshing it fails",
    dying: "about to expire, and refreshing it fails",
    dead: "dead, and refreshing it fails",
  };
  return `GitHub token: ${what[life]}${needsPerson ? "; a person must act" : ""}`;
}

function tokenFields(
  { diesAt, outage: { life } }: Extract<Alert, { type: "failing" }>,
  now: Date,
): ReplyField[] {
  if (diesAt === null) return [];
  if (diesAt <= now) return [instant("expired", diesAt, { now, after: " ago" })];
  // Then its time of expiry no longer matters.
  if (life === "dead") return [];
  return [instant("expires", diesAt, { now, before: "in " })];
}

function describe({ since, until }: EndedOutage): string {
  return `${duration(until.getTime() - since.getTime())} (${utc(since)} to ${utc(until)})`;
}

function duration(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 1) return `${Math.floor(ms / 1000)} s`;
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
