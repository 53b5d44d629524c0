import { type GhauthError, toGhauthError } from "../errors.js";
import type { TomlTable } from "../files/toml.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import type { AlertPlace, TransportDescriptor } from "../takopi/transport.js";

/** The unit that runs `ghauth notify`. */
export const notifyUnit = "takopi-github-token-notify.service";

/**
 * Where a configuration's alerts go: to the transports that it chooses, or, without a choice, to all that have a table; and
 * what is wrong with those that cannot be told.
 */
export function findPlaces(
  config: TakopiConfig,
  { descriptors, table }: { descriptors: readonly TransportDescriptor[]; table: TomlTable },
): { places: AlertPlace[]; faults: GhauthError[] } {
  const places: AlertPlace[] = [];
  const faults: GhauthError[] = [];
  for (const { name, alerts } of descriptors) {
    const isChosen =
      config.transports.length > 0
        ? config.transports.includes(name)
        : Object.keys(config.transportConfig(name)).length > 0;
    if (!alerts || !isChosen) continue;
    try {
      places.push(alerts.describe(config, table));
    } catch (error) {
      faults.push(toGhauthError(error));
    }
  }
  return { places, faults };
}

/** What gives the notify unit, whose environment is its own, the variable of a bot token. */
export function explainVariable(variable: string): string {
  return `${notifyUnit} gets ${variable} by a drop-in: run systemctl --user edit ${notifyUnit}, and write the lines [Service] and EnvironmentFile=%h/.config/takopi/chat.env, a file of mode 600 with the line ${variable}=…; or use bot_token_file.`;
}
