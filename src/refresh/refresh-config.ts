import { webHostOf } from "../token/git-hosts.js";
import type { Environment, Paths } from "../system/paths.js";
import { parseAll } from "../source/parse-all.js";
import {
  invalid,
  parsePath,
  parseTokenSourceConfig,
  type TokenSourceConfig,
} from "../source/source-config.js";

/** The refresh script's settings, parsed: paths are absolute, `deadlineSeconds` counts from the script's start. */
export type RefreshConfig = TokenSourceConfig & {
  tokenEnvFile: string;
  gh: { configDir: string; host: string } | null;
};

/**
 * Parses the refresh script's settings. Throws `config_invalid`, naming each wrong variable and what was expected.
 */
export function parseRefreshConfig(settings: Environment, paths: Paths): RefreshConfig {
  const { source, ghMode } = parseAll({
    source: () => parseTokenSourceConfig(settings, paths),
    ghMode: () => parseGhMode(settings),
  });
  return {
    ...source,
    tokenEnvFile: parsePath(settings["TOKEN_ENV_FILE"] ?? paths.tokenEnvFile, paths),
    gh: ghMode === "off" ? null : ghTarget(settings, { apiUrl: source.apiUrl, paths }),
  };
}

function parseGhMode(settings: Environment): "auto" | "off" {
  const mode = settings["GH_AUTH"] ?? "auto";
  if (mode === "auto" || mode === "off") return mode;
  throw invalid("GH_AUTH", `must be auto or off, not ${JSON.stringify(mode)}`);
}

function ghTarget(
  settings: Environment,
  { apiUrl, paths }: { apiUrl: URL; paths: Paths },
): NonNullable<RefreshConfig["gh"]> {
  return {
    configDir: parsePath(settings["GH_CONFIG_DIR"] ?? paths.ghConfigDir, paths),
    host: webHostOf(apiUrl.hostname),
  };
}
