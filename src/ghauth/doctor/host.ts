import { existsSync } from "node:fs";
import { join } from "node:path";
import { GhauthError } from "../../errors.js";
import { childEnvironment } from "../../system/child-environment.js";
import type { Clock } from "../../system/clock.js";
import { ownPackageRoot } from "../../system/own-package.js";
import { displayPath, type Environment, type Paths } from "../../system/paths.js";
import { runCommand } from "../../system/run-command.js";
import { refreshService, type TimerState } from "../../system/systemd-timer.js";
import { readTakopiConfig, type TakopiConfig } from "../../takopi/takopi-config.js";
import { readTokenFile } from "../../token/token-file.js";
import { parsePluginConfig, type PluginConfig } from "../plugin-config.js";
import type { Requester } from "../requester.js";
import { readAppSettings } from "./app-settings.js";
import type { Host } from "./check.js";
import { readSandbox } from "./sandbox.js";
import { askRefreshScript, type ScriptCheck } from "./script-check.js";

export type HostDeps = {
  env: Environment;
  paths: Paths;
  clock: Clock;
  configPath: string;
  /** Directories of clones that are to be looked at. */
  repositories: readonly string[];
  readTimer: () => Promise<TimerState>;
  requester: Requester;
};

const lookMs = 2_000;

/** What the checks look at, read where all of them need it. A configuration that is wrong is for them to tell. */
export function createHost(deps: HostDeps): Host {
  const { env, paths, configPath, readTimer, requester } = deps;
  const takopi = readConfig(configPath);
  const { plugin, pluginError } = readPlugin(takopi, deps);
  const sandbox = readSandbox();
  const setupScript = (name: string) => {
    const installed = join(paths.home, ".local/lib/takopi-ghauth/current/scripts", name);
    return existsSync(installed) ? installed : join(ownPackageRoot(), "scripts", name);
  };
  let answer: Promise<ScriptCheck> | null = null;
  return {
    ...deps,
    takopi,
    plugin,
    pluginError,
    settings: readAppSettings(paths.appEnvFile, { env, sandbox }),
    token: readTokenFile(plugin.tokenEnvFile),
    sandbox,
    askScript: async () => (answer ??= askRefreshScript(plugin, { ...requester, env })),
    look: async (words) => {
      try {
        // Words of other languages are not understood, nor may git ask anybody.
        const result = await runCommand(words, {
          env: { ...childEnvironment(env), LC_ALL: "C", GIT_TERMINAL_PROMPT: "0" },
          timeoutMs: lookMs,
        });
        return result.timedOut ? null : result;
      } catch {
        return null; // it is not installed
      }
    },
    show: (path) => displayPath(path, paths.home),
    refreshCommand: async () => {
      if ((await readTimer()).type === "installed") return ["systemctl", "--user", "start", refreshService];
      if (!existsSync(plugin.refreshScript)) return [setupScript("bootstrap_user_refresh.sh")];
      const [program, ...words] = [...plugin.runRefreshWith, plugin.refreshScript] as const;
      return [program, ...words];
    },
    setupScript,
  };
}

function readConfig(path: string): TakopiConfig | GhauthError | null {
  try {
    return existsSync(path) ? readTakopiConfig(path) : null;
  } catch (thrown) {
    if (thrown instanceof GhauthError) return thrown;
    throw thrown;
  }
}

function readPlugin(
  takopi: TakopiConfig | GhauthError | null,
  { configPath, paths, env }: HostDeps,
): { plugin: PluginConfig; pluginError: GhauthError | null } {
  const where = { configPath, paths, env };
  if (takopi === null || takopi instanceof GhauthError)
    return { plugin: parsePluginConfig({}, where), pluginError: null };
  try {
    return { plugin: parsePluginConfig(takopi.pluginConfig("ghauth"), where), pluginError: null };
  } catch (thrown) {
    if (!(thrown instanceof GhauthError)) throw thrown;
    return { plugin: parsePluginConfig({}, { ...where, env: {} }), pluginError: thrown };
  }
}
