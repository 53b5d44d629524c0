import { dirname } from "node:path";
import { toGhauthError } from "../errors.js";
import { createLog, type Log } from "../log/log.js";
import { retry } from "../source/retry.js";
import { systemClock } from "../system/clock.js";
import type { Secret } from "../token/secret.js";
import { keepAlive } from "./keep-alive.js";
import { reportFailure, reportRefreshed } from "./report.js";
import { readSidecarConfig } from "./sidecar-config.js";
import { parseSidecarOptions, type SidecarOptions } from "./sidecar-options.js";
import { createSidecarRefresh } from "./sidecar-refresh.js";
import { requireMemory } from "./token-directory.js";
import { clearTokenDirectory, readExpiry, readHealth, writeTokenOutput } from "./token-output.js";

const usage = `usage: ghauth sidecar [--once | --health] [OPTION]…

Mints a GitHub App installation token, writes it to a file, and keeps that file fresh until SIGTERM.
  --once             end when the token file is there (init container)
  --health           exit 0 while the token has at least 10 minutes left, else 1 (exec probe)
  --token-file FILE  default /var/run/github/token (GITHUB_TOKEN_FILE); its expiry is in FILE.json
  --token-mode MODE  0600 (default), 0400, 0440 or 0640
  --secrets-dir DIR  app-id, installation-id and private-key; default /var/run/secrets/github-app
                     (GITHUB_APP_SECRETS_DIR)
  --allow-disk       let the token file be on something else than tmpfs

Environment: WORKSPACE_REPOS (URLs: the token's scope), REFRESH_INTERVAL_MINUTES (45), LOG_LEVEL (info), and the refresh
script's settings, which win over the secrets directory.
Exit codes: 0 stopped, or done; 75 failed for now; 78 a person must change something; 64 usage.
`;

const { env, stdout } = process;
const clock = systemClock;
const random = Math.random;
const mostDelayMs = 30_000;

/** `ghauth sidecar`. Resolves with the exit code once a token is there (`--once`), and else not before SIGTERM. */
export async function main(args: string[]): Promise<number> {
  const options = parseSidecarOptions(args, env);
  if (options.mode === "help") return say(usage, 0);
  if (options.mode === "health") {
    const { isHealthy, sentence } = readHealth(options.output, clock.now());
    return say(`${sentence}\n`, isHealthy ? 0 : 1);
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

function say(text: string, exitCode: number): number {
  stdout.write(text);
  return exitCode;
}
