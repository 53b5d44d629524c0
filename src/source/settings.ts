import { GhauthError } from "../errors.js";
import type { Environment, Paths } from "../system/paths.js";
import { readEnvFile } from "../files/env-file.js";

/** Reads `github-app.env` and lays the environment over it; an empty variable counts as unset. Throws `config_invalid`. */
export function readRefreshSettings(env: Environment, { appEnvFile }: Paths): Environment {
  const given = Object.entries(env).filter(([, value]) => value);
  const settings = Object.fromEntries([...readAppEnvFile(appEnvFile)].filter(([, value]) => value !== ""));
  // One name for the key's path, so that the environment's wins whichever name each of the two uses.
  if (given.some(([name]) => keyPathNames.includes(name)))
    for (const name of keyPathNames) delete settings[name];
  // Node has read it already.
  if (env["NODE_EXTRA_CA_CERTS"]) delete settings["NODE_EXTRA_CA_CERTS"];
  const extraCaFile = settings["NODE_EXTRA_CA_CERTS"];
  return { ...settings, ...Object.fromEntries(given), NODE_EXTRA_CA_CERTS: extraCaFile };
}

const keyPathNames = ["GITHUB_APP_PRIVATE_KEY_PATH", "GITHUB_APP_PRIVATE_KEY_FILE"];

/** What the key, or the way to it, may be called. */
export const keyNames: readonly string[] = ["GITHUB_APP_PRIVATE_KEY", ...keyPathNames];

function readAppEnvFile(path: string): Map<string, string> {
  const variables = readEnvFile(path);
  if (variables.has("GITHUB_APP_PRIVATE_KEY")) {
    throw new GhauthError(
      "config_invalid",
      `${path} holds GITHUB_APP_PRIVATE_KEY, and the key belongs into a file of its own: move it to github-app.pem beside it (mode 600) and delete the line.`,
    );
  }
  return variables;
}

/** Proxies may stand in github-app.env, and whoever looks for them (gh too) looks into the environment. */
export function adoptProxy(settings: Environment, env: Record<string, string | undefined>): void {
  for (const name of ["HTTPS_PROXY", "NO_PROXY"]) {
    const value = settings[name];
    if (value !== undefined && !env[name.toLowerCase()]) env[name] ||= value;
  }
}
