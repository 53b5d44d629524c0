import { GhauthError } from "../errors.js";
import type { CommandBackend } from "./command-backend.js";
import { type AccessPolicy, admitsNobody } from "./access.js";
import { type Backends, createDispatch, type Dispatch } from "./dispatch.js";
import type { Log } from "./log.js";
import type { TakopiConfig } from "./takopi-config.js";

/** What the host gives a transport to work with. */
export type TransportService = {
  dispatch: Dispatch;
  /** What a menu of commands shows. */
  commands: readonly Pick<CommandBackend, "id" | "description" | "subcommands">[];
  /** Whom it serves; the dispatch already asks it. */
  place: AccessPolicy["place"];
  /** To be posted once it is up; null: nothing. */
  startupMessage: string | null;
  log: Log;
};

/** Serves commands until its input ends or `signal` aborts. Rejects where it cannot go on. */
export type RunTransport = (service: TransportService, signal: AbortSignal) => Promise<void>;

/** A transport, ready to run; `access` is null where everybody who reaches it is an operator: the terminal. */
export type Transport = {
  name: string;
  access: AccessPolicy | null;
  postsStartupMessage: boolean;
  run: RunTransport;
};

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
  if (transports.length === 0) throw noTransport(config);
  const message = startupMessage({ transports, plugins });
  const stop = new AbortController();
  const running = AbortSignal.any([signal, stop.signal]);
  running.addEventListener("abort", () => log.info("host.stopping"), { once: true });
  log.info("host.started", { message, config: config.path });
  for (const { name, access } of transports) if (access) warnOfNobody({ name, access }, { config, log });

  const runs = transports.map(async ({ name, access, postsStartupMessage, run }) => {
    const dispatch = createDispatch(backends, config, { ...(access && { access }), log });
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
  { name, access }: { name: string; access: AccessPolicy },
  { config, log }: { config: TakopiConfig; log: Log },
): void {
  if (!admitsNobody(access)) return;
  const keys = name === "discord" ? "allowed_user_ids and allowed_role_ids are" : "allowed_user_ids is";
  const effect = access.place === null ? "nobody gets any answer" : "nobody may run /ghauth refresh";
  log.warn("access.nobody", {
    transport: name,
    message: `${config.path}: transports.${name}: ${keys} empty: ${effect} there.`,
  });
}

function noTransport({ path }: TakopiConfig): GhauthError {
  return new GhauthError(
    "config_invalid",
    `${path}: transport is not set; set it to a name, as in transport = "console".`,
  );
}
