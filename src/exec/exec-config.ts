import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { GhauthError, messageOf } from "../errors.js";
import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { parseEnvFile } from "../token/env-file.js";

/** What `exec` needs of the refresh script's settings, and where that script is (a path, or a name for PATH). */
export type ExecConfig = {
  tokenEnvFile: string;
  refusedToken: string;
  refreshScript: string;
  refreshTimeoutMs: number;
  isEnterprise: boolean;
};

/** From the environment, else github-app.env; an empty variable counts as unset. Rejects with `config_invalid`. */
export function readExecConfig(env: Environment, paths: Paths): ExecConfig {
  const file = readAppEnvFile(paths.appEnvFile);
  const setting = (name: string) => env[name] || file.get(name) || undefined;
  return {
    tokenEnvFile: expandPath(setting("TOKEN_ENV_FILE") ?? paths.tokenEnvFile, paths),
    refusedToken: paths.refusedToken,
    refreshScript: findRefreshScript(env["GHAUTH_REFRESH_SCRIPT"], paths),
    refreshTimeoutMs: refreshTimeoutMs(setting("GHAUTH_REFRESH_DEADLINE_SECONDS")),
    isEnterprise: !isGitHubCom(setting("GITHUB_API_URL")),
  };
}

function readAppEnvFile(path: string): Map<string, string> {
  try {
    return existsSync(path) ? parseEnvFile(readFileSync(path, "utf8")) : new Map();
  } catch (error) {
    throw new GhauthError(
      "config_invalid",
      `${path} cannot be read: ${messageOf(error)}. Correct its owner and mode.`,
      { cause: error },
    );
  }
}

function findRefreshScript(named: string | undefined, paths: Paths): string {
  if (named) return expandPath(named, paths);
  try {
    accessSync(paths.refreshScript, constants.X_OK);
    return paths.refreshScript;
  } catch {
    return "takopi-refresh-github-token"; // not installed by bootstrap: perhaps by npm
  }
}

const usualDeadlineSeconds = 60;
const graceMs = 10_000;

/** The script keeps its own deadline; this one is for a script that hangs all the same. */
function refreshTimeoutMs(deadline: string | undefined): number {
  const seconds = Number(deadline ?? usualDeadlineSeconds);
  return (seconds > 0 ? seconds : usualDeadlineSeconds) * 1000 + graceMs;
}

function isGitHubCom(apiUrl: string | undefined): boolean {
  if (apiUrl === undefined || !URL.canParse(apiUrl)) return true;
  return ["github.com", "api.github.com"].includes(new URL(apiUrl).hostname);
}
