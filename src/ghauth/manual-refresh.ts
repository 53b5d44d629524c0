import { toGhauthError } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { isBotToken } from "../token/bot-tokens.js";
import type { Secret } from "../token/secret.js";
import type { PluginConfig } from "./plugin-config.js";
import { renderTail, runRefreshScript, type ScriptRun } from "./run-refresh-script.js";

export type RefreshOutcome = {
  sentence: string;
  exitCode: number;
  ms: number;
  /** The output's end, redacted with these secrets beside what looks like one. */
  tail: (secrets: readonly Secret[]) => string;
};

export type StartedRefresh =
  | { type: "started" | "joined"; outcome: Promise<RefreshOutcome> }
  | { type: "cooldown"; agoSeconds: number; waitSeconds: number };

export type ManualRefresh = {
  start: (config: PluginConfig, options: StartOptions) => StartedRefresh;
};

/** `by` is who asks, as the refresh log calls them; null where nobody in particular does. */
type StartOptions = { hasCooldown: boolean; by: string | null };

/** Runs the refresh script for whoever asks: one run at a time, which later callers join, and a pause after a success. */
export function createManualRefresh({ clock, env }: { clock: Clock; env: Environment }): ManualRefresh {
  let running: Promise<RefreshOutcome> | null = null;
  let succeededMs: number | null = null;

  const run = async (config: PluginConfig, by: string | null): Promise<RefreshOutcome> => {
    try {
      const outcome = await runOnce(config, { clock, env, by });
      if (outcome.exitCode === 0) succeededMs = clock.elapsedMs();
      return outcome;
    } finally {
      running = null;
    }
  };

  return {
    start: (config, { hasCooldown, by }) => {
      if (running) return { type: "joined", outcome: running };
      const agoMs = clock.elapsedMs() - (succeededMs ?? Number.NEGATIVE_INFINITY);
      if (hasCooldown && agoMs < config.refreshCooldownMs) {
        const waitMs = config.refreshCooldownMs - agoMs;
        return {
          type: "cooldown",
          agoSeconds: Math.floor(agoMs / 1000),
          waitSeconds: Math.ceil(waitMs / 1000),
        };
      }
      running = run(config, by);
      return { type: "started", outcome: running };
    },
  };
}

type Asking = { env: Environment; by: string | null };

async function runOnce(
  config: PluginConfig,
  { clock, ...asking }: Asking & { clock: Clock },
): Promise<RefreshOutcome> {
  const startedMs = clock.elapsedMs();
  try {
    const run = await runRefreshScript(config, {
      env: scriptEnvironment(config, asking),
      elapsedMs: clock.elapsedMs,
    });
    return {
      ...explainRun(run, config),
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

const headroomSeconds = 5;

/** The script's own deadline comes before our timeout, so that its own sentence arrives. */
function scriptEnvironment(
  { tokenEnvFile, refreshTimeoutMs }: PluginConfig,
  { env, by }: Asking,
): Environment {
  return {
    // Chat tokens are not the script's business, nor is what another caller told ours.
    ...Object.fromEntries(
      Object.entries(childEnvironment(env, { keeps: ["GITHUB_APP_PRIVATE_KEY"] })).filter(
        ([name, value]) => !isWithheld(name, value ?? ""),
      ),
    ),
    TOKEN_ENV_FILE: tokenEnvFile,
    GHAUTH_TRIGGER: "chat",
    GHAUTH_BY: by ?? "",
    GHAUTH_REFRESH_DEADLINE_SECONDS: String(Math.max(1, refreshTimeoutMs / 1000 - headroomSeconds)),
  };
}

function isWithheld(name: string, value: string): boolean {
  return name === "GHAUTH_SEEN_EPOCH" || name === "GHAUTH_LOCK_FD" || isBotToken(value);
}

function explainRun(
  { exitCode, timedOut }: ScriptRun,
  config: PluginConfig,
): { sentence: string; exitCode: number } {
  if (timedOut) {
    return {
      sentence: `Refresh failed: the script took over ${config.refreshTimeoutMs / 1000} s and was ended.`,
      exitCode: 75,
    };
  }
  if (exitCode === 0) return { sentence: "Refresh succeeded.", exitCode: 0 };
  if (exitCode === null)
    return { sentence: "Refresh failed: the script was ended by a signal.", exitCode: 75 };
  const meaning = meanings[exitCode] ?? "what it printed tells more";
  return { sentence: `Refresh failed: the script ended with ${exitCode}, ${meaning}.`, exitCode };
}

const meanings: Record<number, string> = {
  75: "a transient failure; try again",
  78: "and a person must change something",
};
