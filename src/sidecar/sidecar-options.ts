import { resolve } from "node:path";
import { GhauthError } from "../errors.js";
import type { Environment } from "../system/paths.js";
import type { TokenOutput } from "./token-files.js";

/** What `ghauth sidecar` was asked for, by its options and environment. */
export type SidecarOptions = {
  mode: "keep" | "once" | "health";
  output: TokenOutput;
  secretsDir: string;
  allowDisk: boolean;
  intervalMs: number;
  /** Sentences about what was taken otherwise than it was given. */
  warnings: string[];
};

/** The options as they were given. */
export type GivenOptions = {
  once?: true;
  health?: true;
  tokenFile?: string;
  tokenMode?: string;
  secretsDir?: string;
  allowDisk?: true;
};

/** Parses them; an option beats its variable, an empty variable counts as unset. Throws `usage` or `config_invalid`. */
export function parseSidecarOptions(given: GivenOptions, env: Environment): SidecarOptions {
  if (given.once && given.health) throw usageError("--once and --health exclude each other.");
  const tokenFile = given.tokenFile ?? (env["GITHUB_TOKEN_FILE"] || "/var/run/github/token");
  const secretsDir = given.secretsDir ?? (env["GITHUB_APP_SECRETS_DIR"] || "/var/run/secrets/github-app");
  return {
    mode: given.health ? "health" : given.once ? "once" : "keep",
    output: { tokenFile: resolve(tokenFile), mode: parseMode(given.tokenMode ?? "0600") },
    secretsDir: resolve(secretsDir),
    allowDisk: given.allowDisk ?? false,
    ...parseInterval(env["REFRESH_INTERVAL_MINUTES"] || String(usualIntervalMinutes)),
  };
}

const modes = ["0400", "0440", "0600", "0640"];

function parseMode(text: string): number {
  if (!modes.includes(text.padStart(4, "0")))
    throw usageError(`--token-mode must be one of ${modes.join(", ")}: a token is not for everybody.`);
  return Number.parseInt(text, 8);
}

const usualIntervalMinutes = 45;
const longestIntervalMinutes = 50;

/** Charts give a huge number where they want a single refresh: their token must not die all the same. */
function parseInterval(text: string): Pick<SidecarOptions, "intervalMs" | "warnings"> {
  const minutes = Number(text);
  if (!(minutes >= 1)) {
    throw new GhauthError(
      "config_invalid",
      `REFRESH_INTERVAL_MINUTES is ${JSON.stringify(text)}: set it to a number of minutes, from 1 to ${longestIntervalMinutes}.`,
    );
  }
  if (minutes <= longestIntervalMinutes) return { intervalMs: minutes * 60_000, warnings: [] };
  return {
    intervalMs: usualIntervalMinutes * 60_000,
    warnings: [
      `REFRESH_INTERVAL_MINUTES is ${text}, and a token lives 60 minutes: it is refreshed every ${usualIntervalMinutes} minutes. Set it to ${longestIntervalMinutes} at most.`,
    ],
  };
}

function usageError(sentence: string): GhauthError {
  return new GhauthError("usage", sentence);
}
