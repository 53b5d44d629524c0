import { readFileSync } from "node:fs";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { isTable, parseToml, type TomlTable } from "../files/toml.js";

/** Takopi's configuration as far as it concerns us; a transport's and a plugin's own table is theirs to parse. */
export type TakopiConfig = {
  path: string;
  transports: string[];
  transportConfig: (name: string) => TomlTable;
  pluginConfig: (id: string) => TomlTable;
  /** `[plugins] enabled`: package names; empty stands for all that are installed. */
  enabledPlugins: string[];
};

/** Reads a takopi.toml. Throws `config_invalid`, naming file, and line or key. */
export function readTakopiConfig(path: string): TakopiConfig {
  const root = parseToml(readText(path), path);
  return {
    path,
    transports: [...new Set(parseNames(root["transport"], `${path}: transport`))],
    transportConfig: (name) => tableIn(root, ["transports", name], path),
    pluginConfig: (id) => tableIn(root, ["plugins", id], path),
    enabledPlugins: parseNames(tableIn(root, ["plugins"], path)["enabled"], `${path}: plugins.enabled`),
  };
}

/** What holds where there is no configuration file. */
export function defaultTakopiConfig(path: string): TakopiConfig {
  return {
    path,
    transports: [],
    transportConfig: () => ({}),
    pluginConfig: () => ({}),
    enabledPlugins: [],
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const sentence =
      errnoOf(error) === "ENOENT"
        ? `There is no configuration at ${path}: copy takopi.example.toml there (mode 600), or give another with --config.`
        : `The configuration ${path} cannot be read: ${messageOf(error)}.`;
    throw new GhauthError("config_invalid", sentence, { cause: error });
  }
}

function parseNames(value: unknown, what: string): string[] {
  if (value === undefined) return [];
  const values: unknown[] = Array.isArray(value) ? value : [value];
  const names = values.filter((name): name is string => typeof name === "string" && name !== "");
  if (names.length === values.length) return names;
  throw new GhauthError("config_invalid", `${what} must be a name or a list of names, in quotes.`);
}

function tableIn(root: TomlTable, keys: readonly string[], path: string): TomlTable {
  let table = root;
  for (const [depth, key] of keys.entries()) {
    const value = table[key] ?? {};
    if (!isTable(value)) {
      throw new GhauthError(
        "config_invalid",
        `${path}: ${keys.slice(0, depth + 1).join(".")} must be a table.`,
      );
    }
    table = value;
  }
  return table;
}
