import { dirname } from "node:path";
import { toGhauthError } from "../errors.js";
import { createLog, type Log } from "../log/log.js";
import { retry } from "../source/retry.js";
import { systemClock } from "../system/clock.js";
import type { Secret } from "../token/secret.js";
import { keepAlive } from "./keep-alive.js";
import { reportFailure, reportRefreshed } from "./report.js";
import { readSidecarConfig } from "./sidecar-config.js";
import { type GivenOptions, parseSidecarOptions, type SidecarOptions } from "./sidecar-options.js";
import { createSidecarRefresh } from "./sidecar-refresh.js";
import { requireMemory } from "./require-memory.js";
import { clearTokenDirectory, readExpiry, readHealth, writeTokenOutput } from "./token-files.js";

const { env, stdout } = process;
const clock = systemClock;
const random = Math.random;
const mostDelayMs = 30_000;

/** `ghauth sidecar`. Resolves with the exit code once a token is there (`--once`), and else not before SIGTERM. */
export async function main(given: GivenOptions): Promise<number> {
  const options = parseSidecarOptions(given, env);
  if (options.mode === "health") {
    const { isHealthy, sentence } = readHealth(options.output, clock.now());
    stdout.write(`${sentence}\n`);
    return isHealthy ? 0 : 1;
  }
  const known: Secret[] = [];
  const log = createLog({
    level: env["LOG_LEVEL"],
    write: (line) => stdout.write(line),
    now: clock.now,
    known,
  });
  endOnSignal(log, options);
  try {
    await run({ log, known }, options);
    return 0;
  } catch (thrown) {
    const { code, exitCode, message } = toGhauthError(thrown);
    log.error("sidecar.failed", { code, exit: exitCode, sentence: message });
    return exitCode;
  }
}

/** `known` are the secrets that the log looks for: from its minting on, the token. */
async function run(
  { log, known }: { log: Log; known: Secret[] },
  { mode, output, intervalMs, ...options }: SidecarOptions,
): Promise<void> {
  const isOnce = mode === "once";
  const secrets = { secretsDir: options.secretsDir, usualDeadlineSeconds: isOnce ? 300 : 60 };
  const readConfig = () => readSidecarConfig(env, secrets);
  const { deadlineSeconds, warnings } = readConfig();
  for (const sentence of warnings) log.warn("scope.wide", { sentence });
  if (!isOnce) for (const sentence of options.warnings) log.warn("interval.shortened", { sentence });
  if (!options.allowDisk) requireMemory(dirname(output.tokenFile));
  clearTokenDirectory(output);

  const limitMs = deadlineSeconds * 1000;
  const refresh = createSidecarRefresh({
    clock,
    random,
    env,
    readConfig,
    publish: (token) => {
      known.splice(0, known.length, token.secret);
      writeTokenOutput(output, token, clock.now());
    },
  });
  if (!isOnce) {
    await keepAlive({ clock, random, log, refresh }, { intervalMs, limitMs, heldUntil: readExpiry(output) });
  }
  const refreshed = await retry({ clock, random }, { deadlineMs: limitMs, mostDelayMs }, async () => {
    try {
      return await refresh(limitMs);
    } catch (error) {
      reportFailure(log, toGhauthError(error));
      throw error;
    }
  });
  reportRefreshed(log, refreshed, { ms: clock.elapsedMs() });
}

/**
 * Ends at once: a mint under way is dropped, and what is written is written between two ticks, whole. An init
 * container that was stopped has not done its work, and says so by 75.
 */
function endOnSignal(log: Log, { mode }: SidecarOptions): void {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info("sidecar.stopped", { signal });
      process.exit(mode === "once" ? 75 : 0);
    });
  }
}
