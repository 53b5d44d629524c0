import * as z from "zod";
import { checkTable } from "../files/checked-table.js";
import { isTable, type TomlTable } from "../files/toml.js";
import { alertsKey, type TakopiConfig } from "../takopi/takopi-config.js";
import { parseQuietHours, type QuietHours } from "./quiet-hours.js";

/** `[plugins.ghauth.alerts]`, parsed; `table` is all of it, for the transports' own keys. */
export type AlertSettings = {
  isEnabled: boolean;
  quietHours: QuietHours | null;
  mentions: boolean;
  heartbeatUrl: URL | null;
  table: TomlTable;
};

const hours = 'hours of the day, as in "22:00-07:00"';
const address = "an https URL, or an http one of this machine";

const keys = {
  enabled: z.boolean("true or false").default(true),
  quiet_hours: z
    .string(hours)
    .transform((text, context) => {
      const parsed = parseQuietHours(text);
      if (parsed === undefined) context.addIssue({ code: "custom", message: hours });
      return parsed ?? null;
    })
    .optional(),
  mention: z.boolean("true or false").default(false),
  heartbeat_url: z.string(address).refine(isSafe, address).optional(),
};

/** Parses the table; `transportKeys` are those that transports read. Throws `config_invalid`, naming file and key. */
export function parseAlertSettings(config: TakopiConfig, transportKeys: readonly string[]): AlertSettings {
  const schema = z.strictObject({
    ...keys,
    ...Object.fromEntries(transportKeys.map((key) => [key, z.unknown().optional()])),
  });
  const table = config.pluginConfig("ghauth")["alerts"] ?? {};
  const settings = checkTable(schema, table, { path: config.path, key: alertsKey });
  const { enabled, quiet_hours, mention, heartbeat_url } = settings;
  return {
    isEnabled: enabled,
    quietHours: quiet_hours ?? null,
    mentions: mention,
    heartbeatUrl: heartbeat_url === undefined ? null : new URL(heartbeat_url),
    table: isTable(table) ? table : {},
  };
}

/** The sentence that goes there is nobody else's to read, nor is the address itself. */
function isSafe(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname } = new URL(text);
  return (
    protocol === "https:" || (protocol === "http:" && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname))
  );
}
