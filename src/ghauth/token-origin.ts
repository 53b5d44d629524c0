import { displayPath, type Environment, expandPath, type Paths } from "../system/paths.js";
import { readRefreshSettings } from "./refresh-settings.js";

/** Where this host's token comes from, as `flow` tells it: what it is, and what the refresh script does with it. */
export type TokenOrigin = { name: string; value: string; scriptDoes: string };

type Setting = (name: string) => string | undefined;

/**
 * By the environment, else github-app.env, which the chat host's sandbox hides: then it is said who knows.
 * `leavesGhAlone`: the refresh script is told not to update gh.
 */
export function describeOrigin(env: Environment, paths: Paths): TokenOrigin & { leavesGhAlone: boolean } {
  const settings = readRefreshSettings(paths.appEnvFile);
  const setting: Setting = (name) => env[name] || settings?.get(name) || undefined;
  const type = setting("GITHUB_TOKEN_SOURCE") ?? (settings ? "app" : "");
  const origin = origins.get(type)?.(setting, paths) ?? unknownOrigin(paths);
  return { ...origin, leavesGhAlone: setting("GH_AUTH") === "off" };
}

const origins = new Map<string, (setting: Setting, paths: Paths) => TokenOrigin>([
  ["app", describeKey],
  ["broker", describeBroker],
  ["command", describeCommand],
]);

function describeKey(setting: Setting, paths: Paths): TokenOrigin {
  const path = setting("GITHUB_APP_PRIVATE_KEY_PATH") ?? setting("GITHUB_APP_PRIVATE_KEY_FILE");
  const where = setting("GITHUB_APP_PRIVATE_KEY")
    ? "in GITHUB_APP_PRIVATE_KEY"
    : displayPath(path === undefined ? paths.privateKeyFile : expandPath(path, paths), paths.home);
  return {
    name: "private key",
    value: `${where}, which only the refresh script reads`,
    scriptDoes: "mints an installation token and tries it",
  };
}

function describeBroker(setting: Setting): TokenOrigin {
  const url = setting("GHAUTH_BROKER_URL") ?? "";
  const host = URL.canParse(url) ? new URL(url).host : "GHAUTH_BROKER_URL is not set";
  return {
    name: "token broker",
    value: `${host}, which holds the App's private key: this host has none`,
    scriptDoes: "asks it for an installation token and tries that",
  };
}

/** Of the command only its program is told: its arguments may hold anything. */
function describeCommand(setting: Setting): TokenOrigin {
  const program = /"[^"]*"|'[^']*'|\S+/.exec(setting("GITHUB_TOKEN_COMMAND") ?? "")?.[0];
  return {
    name: "token command",
    value: `${program ?? "not set"} (GITHUB_TOKEN_COMMAND), which prints a token: this host has no private key`,
    scriptDoes: "runs it and tries the token",
  };
}

function unknownOrigin(paths: Paths): TokenOrigin {
  return {
    name: "token source",
    value: `the App's private key, a broker or a command, as ${displayPath(paths.appEnvFile, paths.home)} says, which only the refresh script reads`,
    scriptDoes: "gets an installation token from it and tries it",
  };
}
