import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { findRefreshScript } from "../system/programs.js";
import { readEnvFile } from "../files/env-file.js";

/** What `exec` needs of the refresh script's settings, and where that script is. */
export type ExecConfig = {
  tokenEnvFile: string;
  refusedToken: string;
  refreshScript: string;
  refreshTimeoutMs: number;
  isEnterprise: boolean;
};

/** From the environment, else github-app.env; an empty variable counts as unset. Throws `config_invalid`. */
export function readExecConfig(env: Environment, paths: Paths): ExecConfig {
  const file = readEnvFile(paths.appEnvFile);
  const setting = (name: string) => env[name] || file.get(name) || undefined;
  return {
    tokenEnvFile: expandPath(setting("TOKEN_ENV_FILE") ?? paths.tokenEnvFile, paths),
    refusedToken: paths.refusedToken,
    refreshScript: env["GHAUTH_REFRESH_SCRIPT"]
      ? expandPath(env["GHAUTH_REFRESH_SCRIPT"], paths)
      : findRefreshScript(env, paths),
    refreshTimeoutMs: refreshTimeoutMs(setting("GHAUTH_REFRESH_DEADLINE_SECONDS")),
    isEnterprise: !isGitHubCom(setting("GITHUB_API_URL")),
  };
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
