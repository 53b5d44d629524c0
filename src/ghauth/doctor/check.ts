import type { Clock } from "../../system/clock.js";
import type { Environment, Paths } from "../../system/paths.js";
import type { TimerState } from "../../system/systemd-timer.js";
import type { CommandResult } from "../../system/run-command.js";
import type { TakopiConfig } from "../../takopi/takopi-config.js";
import type { TokenFile } from "../../token/token-file.js";
import type { GhauthError } from "../../errors.js";
import type { PluginConfig } from "../plugin-config.js";
import type { AppSettings } from "./app-settings.js";
import type { Finding } from "./finding.js";
import type { ScriptCheck } from "./script-check.js";
import type { Sandbox } from "./sandbox.js";

/** One line of doctor: `run` looks, and changes nothing. What it finds first is told first. */
export type Check = {
  label: string;
  run: (host: Host) => Finding[] | Promise<Finding[]>;
};

/** The machine as the checks see it. */
export type Host = {
  env: Environment;
  paths: Paths;
  clock: Clock;
  /** takopi.toml, whether it is there or not. */
  configPath: string;
  /** What it says; null where there is none, or why it cannot be used. */
  takopi: TakopiConfig | GhauthError | null;
  /** Its `[plugins.ghauth]`; the defaults, where that cannot be used. */
  plugin: PluginConfig;
  /** What is wrong with `[plugins.ghauth]`. */
  pluginError: GhauthError | null;
  settings: AppSettings;
  token: TokenFile;
  /** Directories of clones to look at. */
  repositories: readonly string[];
  sandbox: Sandbox;
  readTimer: () => Promise<TimerState>;
  /** What `takopi-refresh-github-token --check` says; asked once, for all that want to know. */
  askScript: () => Promise<ScriptCheck>;
  /** Runs a program that only looks; null where there is no such program, or it took too long. */
  look: (
    words: readonly [string, ...string[]],
    options?: { env?: NodeJS.ProcessEnv },
  ) => Promise<CommandResult | null>;
  /** A path as people write it. */
  show: (path: string) => string;
  /** What makes a new token: the refresh service where it is installed, which a sandbox does not hinder, else the script. */
  refreshCommand: () => Promise<readonly [string, ...string[]]>;
  /** A script of this installation, `bootstrap_user_refresh.sh` say. */
  setupScript: (name: string) => string;
};
