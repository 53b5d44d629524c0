import { errnoOf, GhauthError } from "../errors.js";
import { readEnvFile } from "../files/env-file.js";
import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { findRefreshScript } from "../system/programs.js";

/** Which token env file is meant, and how it comes to hold a fresh token. */
export type FreshTokenConfig = {
  tokenEnvFile: string;
  refusedTokens: string;
  refreshLog: string;
  refreshScript: string;
  refreshTimeoutMs: number;
};

/** A setting's value; an empty variable counts as unset. */
export type Setting = (name: string) => string | undefined;

/**
 * The refresh script's settings as this process finds them: from the environment, else github-app.env. Throws
 * `config_invalid`.
 */
export function readSettings(env: Environment, { appEnvFile }: Pick<Paths, "appEnvFile">): Setting {
  const file = readIfAllowed(appEnvFile);
  return (name) => env[name] || file.get(name) || undefined;
}

/** The settings of others, in a sandbox say, are not this process's. */
function readIfAllowed(path: string): Map<string, string> {
  try {
    return readEnvFile(path);
  } catch (error) {
    if (error instanceof GhauthError && errnoOf(error.cause) === "EACCES") return new Map();
    throw error;
  }
}

export function parseFreshTokenConfig(setting: Setting, env: Environment, paths: Paths): FreshTokenConfig {
  return {
    tokenEnvFile: expandPath(setting("TOKEN_ENV_FILE") ?? paths.tokenEnvFile, paths),
    refusedTokens: paths.refusedTokens,
    refreshLog: paths.refreshLog,
    refreshScript: env["GHAUTH_REFRESH_SCRIPT"]
      ? expandPath(env["GHAUTH_REFRESH_SCRIPT"], paths)
      : findRefreshScript(env, paths),
    refreshTimeoutMs: refreshTimeoutMs(setting("GHAUTH_REFRESH_DEADLINE_SECONDS")),
  };
}

const usualDeadlineSeconds = 60;
const graceMs = 10_000;

/** The script keeps its own deadline; this one is for a script that hangs all the same. */
function refreshTimeoutMs(deadline: string | undefined): number {
  const seconds = Number(deadline ?? usualDeadlineSeconds);
  return (seconds > 0 ? seconds : usualDeadlineSeconds) * 1000 + graceMs;
}
