import { displayPath, type Environment, expandPath, type Paths } from "../system/paths.js";
import type { PluginConfig } from "./plugin-config.js";
import { readRefreshSettings } from "./refresh-settings.js";

/** What a person should do about this process's environment and the refresh script's settings, one sentence each. */
export function problemsOfEnvironment(
  config: Pick<PluginConfig, "tokenEnvFile">,
  { env, paths }: { env: Environment; paths: Paths },
): string[] {
  const shadows = ["GH_TOKEN", "GITHUB_TOKEN"].filter((name) => env[name]);
  const show = (path: string) => displayPath(path, paths.home);
  return [
    ...shadows.map(
      (name) =>
        `${name} is set in the environment: gh uses it instead of the refreshed token, also once it has expired. Unset it.`,
    ),
    ...tokenFilesElsewhere(config, { env, paths }).map(
      ({ where, path }) =>
        `TOKEN_ENV_FILE in ${where} is ${show(path)}, but token_env_file is ${show(config.tokenEnvFile)}: the timer writes one file, and /ghauth refresh the other. Name the same file in both.`,
    ),
  ];
}

/** Where the refresh script is told another token env file than `/ghauth` reads, and which. */
export function tokenFilesElsewhere(
  { tokenEnvFile }: Pick<PluginConfig, "tokenEnvFile">,
  { env, paths }: { env: Environment; paths: Paths },
): { where: string; path: string }[] {
  return [
    { where: "the environment", value: env["TOKEN_ENV_FILE"] },
    {
      where: displayPath(paths.appEnvFile, paths.home),
      value: readRefreshSettings(paths.appEnvFile)?.get("TOKEN_ENV_FILE"),
    },
  ].flatMap(({ where, value }) => {
    const path = value ? expandPath(value, paths) : tokenEnvFile;
    return path === tokenEnvFile ? [] : [{ where, path }];
  });
}
