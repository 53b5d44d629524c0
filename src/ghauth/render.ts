import { formatDistanceStrict } from "date-fns/formatDistanceStrict";
import type { Reply, ReplyField } from "../takopi/command-backend.js";
import type { Status } from "./token-status.js";

const levels = {
  fresh: "ok",
  stale: "warn",
  insecure: "warn",
  missing: "error",
  unreadable: "error",
  expired: "error",
} as const;

/** `/ghauth status` as a reply; times are told relative to `now` and in UTC. */
export function renderStatus(status: Status, now: Date): Reply {
  const fields = statusFields(status, now);
  return renderReply({
    title: `GitHub token: ${status.state}`,
    level: status.state === "fresh" && status.problems.length > 0 ? "warn" : levels[status.state],
    fields,
    notes: status.problems,
  });
}

function statusFields(status: Status, now: Date): ReplyField[] {
  const { token, refreshed_at, expires_at, expires_in_seconds, last_refresh, gh } = status;
  const fields: ReplyField[] = [];
  if (token)
    fields.push({ name: "prefix", value: `${token.prefix}…` }, { name: "sha256", value: token.sha256 });
  if (refreshed_at !== null) fields.push(instant("age", new Date(refreshed_at), { now }));
  if (expires_at !== null && expires_in_seconds !== null) {
    const name = expires_in_seconds > 0 ? "time left" : "expired";
    fields.push(instant(name, new Date(expires_at), { now, suffix: expires_in_seconds > 0 ? "" : " ago" }));
  }
  if (last_refresh) {
    const outcome = last_refresh.ok ? "succeeded" : `failed (${last_refresh.code})`;
    fields.push(
      instant("last refresh", new Date(last_refresh.at), {
        now,
        prefix: `${last_refresh.trigger}, ${outcome}, `,
        suffix: " ago",
      }),
    );
  }
  fields.push({ name: "gh", value: gh ? `logged in as ${gh.login ?? "somebody unnamed"}` : "not logged in" });
  return fields;
}

function instant(
  name: string,
  at: Date,
  { now, prefix = "", suffix = "" }: { now: Date; prefix?: string; suffix?: string },
): ReplyField {
  const distance = formatDistanceStrict(at, now, { roundingMethod: "floor" });
  return {
    name,
    value: `${prefix}${distance}${suffix} (${utc(at)})`,
    at,
    ...(prefix !== "" && { lead: prefix }),
  };
}

function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}

/** A reply whose plain text says all that its parts say. */
export function renderReply({
  title,
  level,
  fields = [],
  notes = [],
  tail = "",
  actions = ["refresh"],
}: {
  title: string;
  level: NonNullable<Reply["level"]>;
  fields?: ReplyField[];
  notes?: readonly string[];
  tail?: string;
  actions?: readonly "refresh"[];
}): Reply {
  const lines = [
    title,
    ...fields.map(({ name, value }) => `${name}: ${value}`),
    ...notes.map((note) => `- ${note}`),
  ];
  if (tail !== "") lines.push("output:", tail);
  const text = lines.join("\n");
  return { text, title, level, fields, notes, actions, ...(tail !== "" && { tail }) };
}
