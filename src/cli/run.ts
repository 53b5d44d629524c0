import { messageOf } from "../errors.js";
import { createLog, type Log } from "../log/log.js";
import { endSoon } from "../system/end-soon.js";
import { resolvePaths } from "../system/paths.js";
import { runHost } from "../takopi/host.js";
import { takeInstanceLock } from "../takopi/instance-lock.js";
import { loadPlugins } from "../takopi/load-plugins.js";
import { createTransports } from "./configured-transports.js";
import { readConfigOption } from "./config-option.js";
import { installedPlugins } from "./installed-plugins.js";

/** `ghauth run`: the chat host. Resolves with 0 once its input has ended, or SIGTERM or SIGINT came. */
export async function main({ config: file }: { config?: string }): Promise<number> {
  const { env, stderr } = process;
  const config = readConfigOption(file, env);
  const transports = createTransports(config, env);
  const logins = transports.flatMap(({ login }) => login ?? []);
  const botTokens = logins.map(({ botToken }) => botToken);
  // What this program starts must not inherit a bot token.
  for (const { variable } of logins) if (variable !== null) delete env[variable];
  const log = createLog({
    level: env["LOG_LEVEL"],
    write: (line) => stderr.write(line),
    known: botTokens,
  });

  const lock = await takeInstanceLock(config.path, { botTokens, home: resolvePaths(env).home });
  process.once("exit", lock.release);
  if (lock.complaint !== null) log.warn("instance_lock.weak", { message: lock.complaint });
  try {
    const plugins = installedPlugins(config);
    const { backends, errors } = await loadPlugins(plugins);
    for (const { id, packageName, message } of [...plugins.errors, ...errors])
      log.error("plugin.failed", { command: id, package: packageName, message });
    const names = plugins.enabled.map(({ id, packageName }) => `${id} (${packageName})`);
    await runHost({ backends, transports, plugins: names, log }, config, createStopSignal(log));
    return 0;
  } finally {
    lock.release();
    endSoon();
  }
}

const stopDeadlineMs = 4_500;

/** Aborts on SIGTERM and SIGINT. Five seconds later the process is gone, whatever a chat's connection still waits for. */
function createStopSignal(log: Log): AbortSignal {
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) {
    process.once(name, () => {
      stop.abort();
      setTimeout(() => process.exit(0), stopDeadlineMs).unref();
    });
  }
  // A chat library's own mistake must not end the host; whatever broke was one update's.
  process.on("unhandledRejection", (reason) =>
    log.error("host.unhandled_rejection", { error: messageOf(reason) }),
  );
  process.on("uncaughtException", (error) => {
    log.error("host.exception", { error: messageOf(error) });
    // A connection that is torn down half-way may still throw; the stop has its own end and exit code.
    if (stop.signal.aborted) return;
    process.exit(process.exitCode ?? 75);
  });
  return stop.signal;
}
