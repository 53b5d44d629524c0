import { GhauthError, toGhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { readRefreshLog, type RefreshLogEntry } from "../token/refresh-log.js";
import type { Secret } from "../token/secret.js";
import type { PluginConfig } from "./plugin-config.js";
import type { Requester } from "./requester.js";
import { renderTail, runRefreshScript, type ScriptRun } from "./run-refresh-script.js";
import { scriptEnvironment } from "./script-environment.js";

export type RefreshOutcome = {
  sentence: string;
  exitCode: number;
  ms: number;
  /** The output's end, redacted with these secrets beside what looks like one. */
  tail: (secrets: readonly Secret[]) => string;
};

export type StartedRun = { type: "started" | "joined"; outcome: Promise<RefreshOutcome> };
export type StartedRefresh = StartedRun | { type: "cooldown"; agoSeconds: number; waitSeconds: number };

export type ManualRefresh = {
  start: (config: PluginConfig, requester: Requester) => StartedRefresh;
  /** Revokes the held token and has another one published: beside a refresh that runs, for the script's lock keeps order. */
  revoke: (config: PluginConfig, requester: Requester) => StartedRun;
};

/** What the script is run for: its options, and what sentences call it. */
type Purpose = { options: readonly string[]; called: string };
const purposes = {
  refresh: { options: [], called: "Refresh" },
  revoke: { options: ["--revoke"], called: "Revoke" },
} as const satisfies Record<string, Purpose>;

type Deps = { clock: Clock; env: Environment; refreshLog: string };

/**
 * Runs the refresh script for whoever asks: one run at a time, which later callers join, and a pause after a success
 * that chat asked for, here or by way of another process, as the refresh log tells. A terminal knows no pause.
 */
export function createManualRefresh({ clock, env, refreshLog }: Deps): ManualRefresh {
  let running: Promise<RefreshOutcome> | null = null;
  let revoking: Promise<RefreshOutcome> | null = null;
  let succeededMs = Number.NEGATIVE_INFINITY;

  const run = async (config: PluginConfig, requester: Requester): Promise<RefreshOutcome> => {
    try {
      const outcome = await runOnce(config, { clock, env, ...requester, ...purposes.refresh });
      if (outcome.exitCode === 0) succeededMs = clock.elapsedMs();
      return outcome;
    } finally {
      running = null;
    }
  };
  const sinceSuccessMs = () =>
    Math.min(clock.elapsedMs() - succeededMs, sinceLoggedMs(refreshLog, clock.now()));

  return {
    start: (config, requester) => {
      if (running) return { type: "joined", outcome: running };
      if (requester.trigger === "chat" && config.refreshCooldownMs > 0) {
        const agoMs = sinceSuccessMs();
        if (agoMs < config.refreshCooldownMs) {
          const waitSeconds = Math.ceil((config.refreshCooldownMs - agoMs) / 1000);
          return { type: "cooldown", agoSeconds: Math.floor(agoMs / 1000), waitSeconds };
        }
      }
      running = run(config, requester);
      return { type: "started", outcome: running };
    },
    revoke: (config, requester) => {
      if (revoking) return { type: "joined", outcome: revoking };
      const asking = { clock, env, ...requester, ...purposes.revoke };
      revoking = runOnce(config, asking).finally(() => (revoking = null));
      return { type: "started", outcome: revoking };
    },
  };
}

/** How long ago a refresh that chat asked for succeeded; for ever where the log has none, or one that is yet to come. */
function sinceLoggedMs(refreshLog: string, now: Date): number {
  const success = readLog(refreshLog).findLast(({ ok, trigger }) => ok && trigger === "chat");
  if (!success) return Number.POSITIVE_INFINITY;
  const agoMs = now.getTime() - Date.parse(success.at) - success.ms;
  return agoMs < 0 ? Number.POSITIVE_INFINITY : agoMs; // the clock was set back meanwhile
}

/** A log that cannot be read is told by status, and keeps nobody from a refresh. */
function readLog(refreshLog: string): RefreshLogEntry[] {
  try {
    return readRefreshLog(refreshLog);
  } catch (error) {
    if (error instanceof GhauthError) return [];
    throw error;
  }
}

type Asking = Requester & Purpose & { env: Environment };

async function runOnce(
  config: PluginConfig,
  { clock, ...asking }: Asking & { clock: Clock },
): Promise<RefreshOutcome> {
  const startedMs = clock.elapsedMs();
  try {
    const run = await runRefreshScript(config, {
      options: asking.options,
      env: scriptEnvironment(config, asking),
      elapsedMs: clock.elapsedMs,
    });
    return {
      ...explainRun(run, { called: asking.called, config }),
      ms: run.ms,
      tail: (secrets) => renderTail(run.output, secrets),
    };
  } catch (thrown) {
    const error = toGhauthError(thrown);
    return {
      sentence: error.message,
      exitCode: error.exitCode,
      ms: clock.elapsedMs() - startedMs,
      tail: () => "",
    };
  }
}

function explainRun(
  { exitCode, timedOut }: ScriptRun,
  { called, config }: { called: string; config: PluginConfig },
): { sentence: string; exitCode: number } {
  if (timedOut) {
    return {
      sentence: `${called} failed: the script took over ${config.refreshTimeoutMs / 1000} s and was ended.`,
      exitCode: 75,
    };
  }
  if (exitCode === 0) return { sentence: `${called} succeeded.`, exitCode: 0 };
  if (exitCode === null)
    return { sentence: `${called} failed: the script was ended by a signal.`, exitCode: 75 };
  const meaning = meanings[exitCode] ?? "what it printed tells more";
  return { sentence: `${called} failed: the script ended with ${exitCode}, ${meaning}.`, exitCode };
}

const meanings: Record<number, string> = {
  75: "a transient failure; try again",
  78: "and a person must change something",
};
