import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { readRegularFile } from "../files/regular-file.js";
import { shellWord } from "../files/shell-word.js";
import { isTable, parseToml, type TomlTable } from "../files/toml.js";
import { ownPackageRoot } from "../system/own-package.js";

/** The table of what we post of our own accord, as sentences name it. */
export const alertsKey = "plugins.ghauth.alerts";

/** Takopi's configuration as far as it concerns us; a transport's and a plugin's own table is theirs to parse. */
export type TakopiConfig = {
  path: string;
  transports: string[];
  transportConfig: (name: string) => TomlTable;
  pluginConfig: (id: string) => TomlTable;
  /** `[plugins] enabled`: package names; empty stands for all that are installed. */
  enabledPlugins: string[];
};

/**
 * Reads a takopi.toml. Throws `config_invalid`, naming file, and line or key; also for one that others can change, or
 * read though it holds a bot token.
 */
export function readTakopiConfig(path: string): TakopiConfig {
  const { text, mode } = readFile(path);
  if ((mode & 0o022) !== 0)
    throw openToOthers(path, { mode, what: "be changed", why: "names a program to run" });
  const root = parseToml(text, path);
  if ((mode & 0o044) !== 0 && holdsBotToken(tableIn(root, ["transports"], path)))
    throw openToOthers(path, { mode, what: "be read", why: "holds a bot token" });
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

function readFile(path: string): { text: string; mode: number } {
  try {
    const { text, stats } = readRegularFile(path);
    return { text, mode: stats.mode & 0o777 };
  } catch (error) {
    const sentence =
      errnoOf(error) === "ENOENT"
        ? `There is no configuration at ${path}: copy takopi.example.toml there (mode 600; it is in ${ownPackageRoot()}), or give another with --config.`
        : `The configuration ${path} cannot be read: ${messageOf(error)}.`;
    throw new GhauthError("config_invalid", sentence, { cause: error });
  }
}

function openToOthers(
  path: string,
  { mode, what, why }: { mode: number; what: string; why: string },
): GhauthError {
  const octal = mode.toString(8).padStart(4, "0");
  return new GhauthError(
    "config_invalid",
    `${path} can ${what} by others (mode ${octal}), and it ${why}: see that it is as you left it, and run chmod 600 ${shellWord(path)}.`,
  );
}

/** `bot_token`, or whatever else a transport calls its own; not a file or a variable that one is in. */
function holdsBotToken(transports: TomlTable): boolean {
  return Object.values(transports).some(
    (table) => isTable(table) && Object.keys(table).some((key) => key.endsWith("token")),
  );
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
