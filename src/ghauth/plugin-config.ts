import * as z from "zod";
import { GhauthError } from "../errors.js";
import { expandPath, type Paths } from "../system/paths.js";

/** `[plugins.ghauth]`, parsed: paths are absolute. */
export type PluginConfig = {
  tokenEnvFile: string;
  refreshScript: string;
  runRefreshWith: string[];
  maxTokenAgeMs: number;
  refreshTimeoutMs: number;
  refreshCooldownMs: number;
};

const path = z.string("a path in quotes").min(1, "a path in quotes");
const words = z.array(z.string("a word in quotes"), 'a list of words, as in ["sudo", "-n"]');
const number = (unit: string) => z.number(`a number of ${unit}`);

const schema = z.strictObject({
  token_env_file: path.optional(),
  refresh_script: path.optional(),
  run_refresh_with: words.default([]),
  max_token_age_minutes: number("minutes").positive("a number of minutes above 0").default(55),
  refresh_timeout_seconds: number("seconds").positive("a number of seconds above 0").default(30),
  refresh_cooldown_seconds: number("seconds").nonnegative("0 or a number of seconds").default(30),
  // The Takopi shim's own keys.
  cli: words.optional(),
  allow_unknown_sender_refresh: z.boolean("true or false").optional(),
});

/** Parses the plugin's table of the file `configPath`. Rejects with `config_invalid`, naming file, key and what was expected. */
export function parsePluginConfig(
  table: Readonly<Record<string, unknown>>,
  { configPath, paths }: { configPath: string; paths: Paths },
): PluginConfig {
  const parsed = schema.safeParse(table);
  if (!parsed.success) throw invalid(parsed.error.issues[0], configPath);
  const config = parsed.data;
  return {
    tokenEnvFile: expandPath(config.token_env_file ?? paths.tokenEnvFile, paths),
    refreshScript: expandPath(config.refresh_script ?? paths.refreshScript, paths),
    runRefreshWith: config.run_refresh_with,
    maxTokenAgeMs: config.max_token_age_minutes * 60_000,
    refreshTimeoutMs: config.refresh_timeout_seconds * 1000,
    refreshCooldownMs: config.refresh_cooldown_seconds * 1000,
  };
}

function invalid(issue: z.core.$ZodIssue | undefined, configPath: string): GhauthError {
  const key = ["plugins.ghauth", ...(issue?.path ?? [])].join(".");
  if (issue?.code === "unrecognized_keys") {
    const known = Object.keys(schema.shape).join(", ");
    return new GhauthError(
      "config_invalid",
      `${configPath}: ${key}.${issue.keys[0] ?? ""} is not known; the keys are ${known}.`,
    );
  }
  return new GhauthError(
    "config_invalid",
    `${configPath}: ${key} must be ${issue?.message ?? "something else"}.`,
  );
}
