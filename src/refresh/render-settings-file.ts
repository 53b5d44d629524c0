import { isAbsolute, resolve } from "node:path";
import { editEnvFile, readEnvText } from "../files/env-file.js";
import { settings } from "../source/settings-table.js";
import { keyNames } from "../source/settings.js";
import type { Environment, Paths } from "../system/paths.js";

/**
 * The text that `github-app.env` gets from the settings in the environment; whatever else somebody wrote there stays.
 * The key and its path are not kept there: bootstrap puts the key where it belongs. Throws `config_invalid`.
 */
export function renderSettingsFile(env: Environment, { appEnvFile }: Paths, directory: string): string {
  const values = new Map<string, string | null>(keyNames.map((name) => [name, null]));
  for (const [name, { kind }] of Object.entries(settings)) {
    // Shells often have proxies in lower case.
    const value = env[name] || (name.endsWith("_PROXY") && env[name.toLowerCase()]);
    if (value) values.set(name, keptAs[kind](value, directory));
  }
  return editEnvFile(readEnvText(appEnvFile), values);
}

const keptAs = {
  text: (value: string) => value,
  list: (value: string) => value.replaceAll(/[\r\n]+/g, " "), // git, say, hands over a list on several lines
  path: (value: string, directory: string) =>
    isAbsolute(value) || value.startsWith("~") ? value : resolve(directory, value),
};
