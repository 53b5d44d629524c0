import type { Log } from "../log/log.js";
import { admitsNobody } from "./access.js";
import { allowedByPlugin, type Backends, createDispatch } from "./dispatch.js";
import type { TakopiConfig } from "./takopi-config.js";
import type { Transport } from "./transport.js";

export type HostDeps = {
  backends: Backends;
  transports: readonly Transport[];
  /** As `id (package)`. */
  plugins: readonly string[];
  log: Log;
};

/**
 * Serves the command backends on all transports until all have ended, or one rejects: then the others are stopped,
 * and it rejects with that.
 */
export async function runHost(
  { backends, transports, plugins, log }: HostDeps,
  config: TakopiConfig,
  signal: AbortSignal,
): Promise<void> {
  const message = startupMessage({ transports, plugins });
  const stop = new AbortController();
  const running = AbortSignal.any([signal, stop.signal]);
  running.addEventListener("abort", () => log.info("host.stopping"), { once: true });
  log.info("host.started", { message, config: config.path });
  const isAnybodyElse = [...backends.values()].some((backend) => allowedByPlugin(backend, config).length > 0);
  for (const transport of transports)
    if (!isAnybodyElse || transport.access?.place === null) warnOfNobody(transport, { config, log });

  const runs = transports.map(async ({ name, access, postsStartupMessage, run }) => {
    const dispatch = createDispatch(backends, config, { transport: name, ...(access && { access }), log });
    const service = {
      dispatch,
      commands: [...backends.values()],
      place: access?.place ?? null,
      startupMessage: postsStartupMessage ? message : null,
      log,
    };
    try {
      await run(service, running);
      log.info("transport.ended", { transport: name });
    } catch (error) {
      stop.abort();
      throw error;
    }
  });
  const outcomes = await Promise.allSettled(runs);
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure) throw failure.reason;
  log.info("host.stopped");
}

function startupMessage({ transports, plugins }: Pick<HostDeps, "transports" | "plugins">): string {
  const names = transports.map(({ name }) => name).join(", ");
  return `takopi-ghauth is up. Transports: ${names}. Plugins: ${plugins.join(", ") || "none"}.`;
}

function warnOfNobody(
  { name, access, allowlistKeys }: Transport,
  { config, log }: { config: TakopiConfig; log: Log },
): void {
  if (!access || !admitsNobody(access)) return;
  const lists = `${allowlistKeys.join(" and ")} ${allowlistKeys.length > 1 ? "are" : "is"} empty`;
  const effect = access.place === null ? "nobody gets any answer" : "nobody may run /ghauth refresh";
  log.warn("access.nobody", {
    transport: name,
    message: `${config.path}: transports.${name}: ${lists}: ${effect} there.`,
  });
}
