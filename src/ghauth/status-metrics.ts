import type { RefreshLogEntry } from "../token/refresh-log.js";
import { tokenStates } from "../token/judge-token-file.js";
import type { Status } from "./read-status.js";

type Sample = { labels?: string; value: number };
type Metric = { name: string; type: "gauge" | "counter"; help: string; samples: Sample[] };

/**
 * How things stand, in Prometheus' text format (prometheus.io/docs/instrumenting/exposition_formats); what is not known
 * is left out. The counters are of the log's lines, and fall when it is cut.
 */
export function renderMetrics(status: Status, entries: readonly RefreshLogEntry[]): string {
  return metricsOf(status, entries)
    .filter(({ samples }) => samples.length > 0)
    .map(({ name, type, help, samples }) =>
      [
        `# HELP ${name} ${help}`,
        `# TYPE ${name} ${type}`,
        ...samples.map(({ labels = "", value }) => `${name}${labels} ${value}`),
        "",
      ].join("\n"),
    )
    .join("");
}

function metricsOf({ state, expires_at }: Status, entries: readonly RefreshLogEntry[]): Metric[] {
  const last = entries.at(-1);
  const lastSuccess = entries.findLast(({ ok }) => ok);
  return [
    {
      name: "ghauth_token_state",
      type: "gauge",
      help: "1 for the state that the token is in, 0 for the others.",
      samples: tokenStates.map((each) => ({ labels: `{state="${each}"}`, value: Number(each === state) })),
    },
    {
      name: "ghauth_token_expires_timestamp_seconds",
      type: "gauge",
      help: "When the token expires.",
      samples: expires_at === null ? [] : [instant(expires_at)],
    },
    {
      name: "ghauth_last_refresh_success",
      type: "gauge",
      help: "Whether the last refresh succeeded: 1 or 0.",
      samples: last ? [{ value: Number(last.ok) }] : [],
    },
    {
      name: "ghauth_last_refresh_timestamp_seconds",
      type: "gauge",
      help: "When the last refresh began, whatever came of it.",
      samples: last ? [instant(last.at)] : [],
    },
    {
      name: "ghauth_last_refresh_duration_seconds",
      type: "gauge",
      help: "How long the last refresh took.",
      samples: last ? [{ value: last.ms / 1000 }] : [],
    },
    {
      name: "ghauth_last_successful_refresh_timestamp_seconds",
      type: "gauge",
      help: "When the last refresh that succeeded began.",
      samples: lastSuccess ? [instant(lastSuccess.at)] : [],
    },
    {
      name: "ghauth_refreshes_total",
      type: "counter",
      help: "Refreshes in the log, which keeps the newest 1,000.",
      samples: [{ value: entries.length }],
    },
    {
      name: "ghauth_refresh_failures_total",
      type: "counter",
      help: "Refreshes in the log that failed.",
      samples: [{ value: entries.filter(({ ok }) => !ok).length }],
    },
  ];
}

function instant(at: string): Sample {
  return { value: Date.parse(at) / 1000 };
}
