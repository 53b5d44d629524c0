import type { RefreshLogEntry } from "../../src/token/refresh-log.js";

const hour = 3_600_000;

/** A line of the refresh log: at an instant a success, whose token lives for an hour, unless `more` says otherwise. */
export function logEntry(at: Date, more: Partial<RefreshLogEntry> = {}): RefreshLogEntry {
  const ok = more.ok ?? true;
  return {
    at: at.toISOString(),
    trigger: "timer",
    by: null,
    ok,
    ms: 0,
    code: ok ? "refreshed" : "github_unreachable",
    exit: ok ? 0 : 75,
    sentence: ok ? "Refreshed." : "GitHub cannot be reached.",
    expires_at: ok ? new Date(at.getTime() + hour).toISOString() : null,
    sha256: ok ? "0123abcd" : null,
    rate_limit: null,
    refused_at: null,
    ...more,
  };
}
