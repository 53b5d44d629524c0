import { parseArgs } from "node:util";
import { resolve } from "node:path";
import { GhauthError, messageOf } from "../errors.js";
import type { Environment } from "../system/paths.js";
import { isLogLevel, type LogLevel } from "./event-log.js";
import type { TokenOutput } from "./token-output.js";

/** What `ghauth sidecar` was asked for, by its options and environment. */
export type SidecarOptions = {
  mode: "keep" | "once" | "health" | "help";
  output: TokenOutput;
  secretsDir: string;
  allowDisk: boolean;
  intervalMs: number;
  logLevel: LogLevel;
};

const options = {
  once: { type: "boolean" },
  health: { type: "boolean" },
  help: { type: "boolean", short: "h" },
  "token-file": { type: "string" },
  "token-mode": { type: "string" },
  "secrets-dir": { type: "string" },
  "allow-disk": { type: "boolean" },
} as const;

/** Parses them; an option beats its variable, an empty variable counts as unset. Rejects with `usage` or `config_invalid`. */
export function parseSidecarOptions(args: string[], env: Environment): SidecarOptions {
  const given = parse(args);
  if (given.once && given.health) throw usageError("--once and --health exclude each other.");
  const tokenFile = given["token-file"] ?? (env["GITHUB_TOKEN_FILE"] || "/var/run/github/token");
  const secretsDir = given["secrets-dir"] ?? (env["GITHUB_APP_SECRETS_DIR"] || "/var/run/secrets/github-app");
  return {
    mode: given.help ? "help" : given.health ? "health" : given.once ? "once" : "keep",
    output: { tokenFile: resolve(tokenFile), mode: parseMode(given["token-mode"] ?? "0600") },
    secretsDir: resolve(secretsDir),
    allowDisk: given["allow-disk"] ?? false,
    intervalMs: parseInterval(env["REFRESH_INTERVAL_MINUTES"] || "45"),
    logLevel: parseLogLevel(env["LOG_LEVEL"] || "info"),
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
}

const modes = ["0400", "0440", "0600", "0640"];

function parseMode(text: string): number {
  if (!modes.includes(text.padStart(4, "0")))
    throw usageError(`--token-mode must be one of ${modes.join(", ")}: a token is not for everybody.`);
  return Number.parseInt(text, 8);
}

const longestIntervalMinutes = 50;

function parseInterval(text: string): number {
  const minutes = Number(text);
  if (minutes >= 1 && minutes <= longestIntervalMinutes) return minutes * 60_000;
  throw new GhauthError(
    "config_invalid",
    `REFRESH_INTERVAL_MINUTES must be a number from 1 to ${longestIntervalMinutes}: a token lives 60 minutes.`,
  );
}

function parseLogLevel(text: string): LogLevel {
  if (isLogLevel(text)) return text;
  throw new GhauthError("config_invalid", "LOG_LEVEL must be debug, info, warn or error.");
}

function usageError(sentence: string): GhauthError {
  return new GhauthError("usage", sentence);
}
