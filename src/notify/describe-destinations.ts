import { displayPath } from "../system/paths.js";
import { alertsKey, type TakopiConfig } from "../takopi/takopi-config.js";
import type { TransportDescriptor } from "../takopi/transport.js";
import { parseAlertSettings } from "./alert-settings.js";
import { explainVariable, findPlaces } from "./places.js";

/** Where alerts and heartbeats go, and how to stop them. Throws `config_invalid`. */
export function describeWhere(
  config: TakopiConfig,
  { descriptors, home }: { descriptors: readonly TransportDescriptor[]; home: string },
): string {
  const keys = descriptors.flatMap(({ alerts }) => alerts?.keys ?? []);
  const { isEnabled, heartbeatUrl, table } = parseAlertSettings(config, keys);
  const { places, faults } = findPlaces(config, { descriptors, table });
  const file = displayPath(config.path, home);
  const names = places.map(({ name }) => name).join(" and ");
  const lines: string[] = [];
  if (!isEnabled) lines.push(`Alerts are off: enabled is false in [${alertsKey}] of ${file}.`);
  else if (names === "" && faults.length === 0)
    lines.push(`Alerts go nowhere: ${file} configures no chat (takopi.example.toml shows how).`);
  else if (names !== "")
    lines.push(
      `Alerts go to ${names} when a token cannot be refreshed. To stop them, set enabled = false in [${alertsKey}] of ${file}.`,
    );
  if (isEnabled) {
    for (const { variable } of places) if (variable !== null) lines.push(explainVariable(variable));
    for (const { message } of faults) lines.push(`warning: no alerts for now: ${message}`);
  }
  if (heartbeatUrl) lines.push(`After each run, a heartbeat goes to ${heartbeatUrl.host}.`);
  return `${lines.join("\n")}\n`;
}
