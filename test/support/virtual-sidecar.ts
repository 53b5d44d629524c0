import { createLog } from "../../src/log/log.js";
import { keepAlive } from "../../src/sidecar/keep-alive.js";
import { readSidecarConfig } from "../../src/sidecar/sidecar-config.js";
import { createSidecarRefresh } from "../../src/sidecar/sidecar-refresh.js";
import { readExpiry, writeTokenOutput } from "../../src/sidecar/token-files.js";
import type { Clock } from "../../src/system/clock.js";
import type { LogLine, SidecarHost } from "./sidecar-host.js";

/** A day on which waiting takes no time; `suspend` stops the monotonic clock alone. */
export type VirtualTime = Clock & { elapse: (ms: number) => void; suspend: (ms: number) => void };

class TheEnd extends Error {}

export function createVirtualTime(startsAt: Date): VirtualTime & { endAfter: (ms: number) => void } {
  let [wallMs, elapsedMs, endMs] = [startsAt.getTime(), 0, Infinity];
  const elapse = (ms: number) => {
    wallMs += ms;
    elapsedMs += ms;
  };
  return {
    now: () => new Date(wallMs),
    elapsedMs: () => elapsedMs,
    elapse,
    suspend: (ms) => (wallMs += ms),
    sleep: async (ms) => {
      elapse(ms);
      if (elapsedMs >= endMs) throw new TheEnd();
    },
    endAfter: (ms) => (endMs = ms),
  };
}

export type VirtualSidecarOptions = {
  time: ReturnType<typeof createVirtualTime>;
  hours: number;
  random?: () => number;
  env?: Record<string, string>;
  /** Called before each attempt, and after one with how it ended. */
  before?: (attempt: number) => void;
  after?: (isRefreshed: boolean) => void;
};

/** The sidecar's loop without its process, for these hours of virtual time; answers with its log. */
export async function runVirtualSidecar(
  host: SidecarHost,
  { time, hours, random = () => 0.5, env = {}, before, after }: VirtualSidecarOptions,
): Promise<(LogLine & { elapsed: number })[]> {
  const log: (LogLine & { elapsed: number })[] = [];
  const environment = { ...host.sidecarEnv, ...env };
  const secrets = { secretsDir: host.secretsDir, usualDeadlineSeconds: 60 };
  const output = { tokenFile: host.tokenFile, mode: 0o600 };
  const refresh = createSidecarRefresh({
    clock: time,
    random,
    env: environment,
    readConfig: () => readSidecarConfig(environment, secrets),
    publish: (token) => writeTokenOutput(output, token, time.now()),
  });
  let attempts = 0;
  const watched = async (deadlineMs: number) => {
    before?.(++attempts);
    try {
      const refreshed = await refresh(deadlineMs);
      after?.(true);
      return refreshed;
    } catch (error) {
      after?.(false);
      throw error;
    }
  };
  const write = (line: string) => {
    const said: LogLine = JSON.parse(line);
    log.push({ ...said, elapsed: Math.round(time.elapsedMs() / 1000) });
  };
  time.endAfter(time.elapsedMs() + hours * 3_600_000);
  try {
    await keepAlive(
      { clock: time, random, log: createLog({ level: "info", now: time.now, write }), refresh: watched },
      { intervalMs: 45 * 60_000, limitMs: 60_000, heldUntil: readExpiry(output) },
    );
  } catch (error) {
    if (!(error instanceof TheEnd)) throw error;
  }
  return log;
}
