import { GhauthError } from "../errors.js";
import type { Environment } from "../system/paths.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import type { Transport } from "../takopi/transport.js";
import { transports } from "../transports/transports.js";

/** The transports that a configuration chooses, ready to run. Throws `config_invalid`, naming file and key. */
export function createTransports(config: TakopiConfig, env: Environment): Transport[] {
  if (config.transports.length === 0) throw wrong(config, "is not set: set it to one of");
  return config.transports.map((name) => {
    const descriptor = transports.find((each) => each.name === name);
    if (!descriptor) throw wrong(config, `${JSON.stringify(name)} is not known; the transports are`);
    return descriptor.create(config, env);
  });
}

function wrong({ path }: TakopiConfig, complaint: string): GhauthError {
  const names = transports.map(({ name }) => name).join(", ");
  return new GhauthError("config_invalid", `${path}: transport ${complaint} ${names}.`);
}
