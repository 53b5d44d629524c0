import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { GhauthError } from "../errors.js";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where things lie on this machine (XDG base directories; `XDG_*` that are not absolute do not count). */
export type Paths = ReturnType<typeof resolvePaths>;

export function resolvePaths(env: Environment) {
  const home = homeOf(env);
  const base = (name: string, fallback: string) => {
    const directory = env[name];
    return directory && isAbsolute(directory) ? directory : join(home, fallback);
  };
  const configHome = base("XDG_CONFIG_HOME", ".config");
  const config = join(configHome, "takopi");
  const state = join(base("XDG_STATE_HOME", ".local/state"), "takopi");
  return {
    home,
    appEnvFile: join(config, "github-app.env"),
    privateKeyFile: join(config, "github-app.pem"),
    tokenEnvFile: join(config, "github-token.env"),
    refreshLog: join(state, "github-token-refresh.jsonl"),
    refreshLock: join(state, "github-token-refresh.lock"),
    refusedTokens: join(state, "refused"),
    alerts: join(state, "alerts.json"),
    revokeAsked: join(state, "revoke-asked.json"),
    gitAnswers: join(state, "git"),
    refreshScript: join(home, ".local/bin/takopi-refresh-github-token"),
    brokerConfig: join(config, "broker.toml"),
    takopiConfig: join(home, ".takopi/takopi.toml"),
    ghConfigDir: env["GH_CONFIG_DIR"] || join(configHome, "gh"),
  };
}

/** A path from a configuration file: `~` is the home directory, and a relative one is taken from `directory`. */
export function expandPath(
  path: string,
  { home, directory = "." }: { home: string; directory?: string },
): string {
  return resolve(directory, path === "~" || path.startsWith("~/") ? join(home, path.slice(1)) : path);
}

/** The same path as people write it: the home directory as `~`. */
export function displayPath(path: string, home: string): string {
  return path === home || path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}

function homeOf(env: Environment): string {
  try {
    return env["HOME"] || homedir();
  } catch (error) {
    throw new GhauthError(
      "config_invalid",
      "HOME is not set, and this user has no home directory: set HOME.",
      {
        cause: error,
      },
    );
  }
}
