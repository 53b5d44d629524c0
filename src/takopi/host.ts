import { GhauthError } from "../errors.js";
import type { CommandBackend } from "./command-backend.js";
import { createDispatch, type Dispatch } from "./dispatch.js";
import type { TakopiConfig } from "./takopi-config.js";

/** A transport serves commands until its input ends or `signal` aborts. */
export type Transport = (dispatch: Dispatch, signal: AbortSignal) => Promise<void>;

/** Serves the command backends on the configured transports until all have ended. Rejects with `config_invalid`. */
export async function runHost(
  {
    backends,
    transports,
  }: { backends: readonly CommandBackend[]; transports: Readonly<Record<string, Transport>> },
  config: TakopiConfig,
  signal: AbortSignal,
): Promise<void> {
  const dispatch = createDispatch(new Map(backends.map((backend) => [backend.id, backend])), config);
  const chosen = config.transports.map(
    (name) => transports[name] ?? unknownTransport(name, { transports, config }),
  );
  if (chosen.length === 0) throw noTransport(config);
  await Promise.all(chosen.map(async (transport) => transport(dispatch, signal)));
}

function unknownTransport(
  name: string,
  { transports, config }: { transports: Readonly<Record<string, Transport>>; config: TakopiConfig },
): never {
  throw new GhauthError(
    "config_invalid",
    `${config.path}: transport ${JSON.stringify(name)} is not known; the transports are ${Object.keys(transports).join(", ")}.`,
  );
}

function noTransport({ path }: TakopiConfig): GhauthError {
  return new GhauthError(
    "config_invalid",
    `${path}: transport is not set; set it to a name, as in transport = "console".`,
  );
}
