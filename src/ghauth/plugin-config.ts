import { split } from "shlex";
import * as z from "zod";
import { GhauthError } from "../errors.js";
import { checkTable } from "../files/checked-table.js";
import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { findRefreshScript } from "../system/programs.js";
import { isWithheldAlways } from "./script-environment.js";

/** `[plugins.ghauth]`, parsed: paths are absolute. */
export type PluginConfig = {
  tokenEnvFile: string;
  refreshScript: string;
  runRefreshWith: string[];
  maxTokenAgeMs: number;
  refreshTimeoutMs: number;
  refreshCooldownMs: number;
  /** Names of variables that the refresh script gets beside the usual ones. */
  refreshEnv: string[];
  /** Who may run restricted subcommands beside the transport's allowed users. */
  refreshUserIds: string[];
};

const path = z.string("a path in quotes").min(1, "a path in quotes");
const words = z.array(
  z.string("a word in quotes").min(1, "a word in quotes"),
  'a list of words, as in ["sudo", "-n"]',
);
const number = (unit: string) => z.number(`a number of ${unit}`);

const aListOfIds = "a list of users' ids, as in [42]";
const userId = z
  .union([z.string().regex(/^[\w.@:+-]{1,64}$/), z.int(), z.bigint()], aListOfIds)
  .transform(String);

const aVariable =
  "the name of a variable, and of none that the refresh script never gets from chat (GH_TOKEN, GITHUB_TOKEN and their kin, GITHUB_APP_PRIVATE_KEY, GHAUTH_STORE_*, SSH_AUTH_SOCK)";
const aListOfVariables = "a list of names of variables, in quotes";
const variable = z
  .string(aListOfVariables)
  .regex(/^[A-Za-z_]\w*$/, aVariable)
  .refine((name) => !isWithheldAlways(name), aVariable);

/** As long as the refresh script lets itself be given. */
const longestTimeoutSeconds = 3600;

const schema = z.strictObject({
  token_env_file: path.optional(),
  refresh_script: path.optional(),
  run_refresh_with: words.optional(),
  max_token_age_minutes: number("minutes").positive("a number of minutes above 0").default(55),
  refresh_timeout_seconds: number("seconds")
    .positive("a number of seconds above 0")
    .max(longestTimeoutSeconds, `a number of seconds, at most ${longestTimeoutSeconds}`)
    .default(30),
  refresh_cooldown_seconds: number("seconds").nonnegative("0 or a number of seconds").default(30),
  refresh_env: z.array(variable, aListOfVariables).default([]),
  // Its keys are those of `ghauth notify`.
  alerts: z.looseObject({}, "a table").optional(),
  refresh_user_ids: z.array(userId, aListOfIds).default([]),
  // The Takopi shim's own keys.
  cli: words.optional(),
  allow_unknown_sender_refresh: z.boolean("true or false").optional(),
});

/**
 * Parses the plugin's table of the file `configPath`. GHAUTH_RUN_REFRESH_WITH, shell-quoted words, stands in for a
 * `run_refresh_with` that is not set; in both, `{refresh_timeout_seconds}` is that setting. Throws `config_invalid`, naming file, key and what
 * was expected.
 */
export function parsePluginConfig(
  table: Readonly<Record<string, unknown>>,
  { configPath, paths, env }: { configPath: string; paths: Paths; env: Environment },
): PluginConfig {
  const config = checkTable(schema, table, { path: configPath, key: "plugins.ghauth" });
  const runRefreshWith = config.run_refresh_with ?? parseWords(env["GHAUTH_RUN_REFRESH_WITH"] ?? "");
  return {
    tokenEnvFile: expandPath(config.token_env_file ?? paths.tokenEnvFile, paths),
    refreshScript:
      config.refresh_script === undefined
        ? findRefreshScript(env, paths)
        : expandPath(config.refresh_script, paths),
    runRefreshWith: runRefreshWith.map((word) =>
      word.replaceAll("{refresh_timeout_seconds}", String(config.refresh_timeout_seconds)),
    ),
    maxTokenAgeMs: config.max_token_age_minutes * 60_000,
    refreshTimeoutMs: config.refresh_timeout_seconds * 1000,
    refreshCooldownMs: config.refresh_cooldown_seconds * 1000,
    refreshEnv: config.refresh_env,
    refreshUserIds: config.refresh_user_ids,
  };
}

function parseWords(text: string): string[] {
  try {
    return split(text);
  } catch (error) {
    throw new GhauthError(
      "config_invalid",
      "GHAUTH_RUN_REFRESH_WITH has a quotation mark that is not closed.",
      {
        cause: error,
      },
    );
  }
}
