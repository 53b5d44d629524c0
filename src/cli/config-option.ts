import { existsSync } from "node:fs";
import { type Environment, expandPath, resolvePaths } from "../system/paths.js";
import { defaultTakopiConfig, readTakopiConfig, type TakopiConfig } from "../takopi/takopi-config.js";

/** The configuration that `--config` names, else the usual one; it must exist. */
export function readConfigOption(file: string | undefined, env: Environment): TakopiConfig {
  const paths = resolvePaths(env);
  return readTakopiConfig(file === undefined ? paths.takopiConfig : expandPath(file, paths));
}

/** The same for who can do without: the defaults, where no file was named and the usual one is not there. */
export function readConfigOptionOrDefaults(file: string | undefined, env: Environment): TakopiConfig {
  const { takopiConfig } = resolvePaths(env);
  return file === undefined && !existsSync(takopiConfig)
    ? defaultTakopiConfig(takopiConfig)
    : readConfigOption(file, env);
}
