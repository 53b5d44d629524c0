import { split } from "shlex";
import { GhauthError } from "../errors.js";
import { parsePermissions, parseRepositories, type Scope } from "../github/scope.js";
import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { readEnvFile } from "../token/env-file.js";
import { Secret } from "../token/secret.js";

export type AppSourceConfig = {
  type: "app";
  appId: string;
  installationId: string | null;
  /** `anyMode`: others may read the file, as they may where Kubernetes mounted it. */
  privateKey: { path: string; anyMode?: boolean } | { text: Secret };
  scope: Scope;
};
export type BrokerSourceConfig = { type: "broker"; url: URL; bearerFile: string; workspace: string | null };
export type CommandSourceConfig = { type: "command"; words: [string, ...string[]] };

/** Where a token comes from, and how long that may take. */
export type TokenSourceConfig = {
  apiUrl: URL;
  source: AppSourceConfig | BrokerSourceConfig | CommandSourceConfig;
  deadlineSeconds: number;
  /** Certificates to trust that Node itself has not read at its start. */
  extraCaFile: string | null;
};

/** The refresh script's settings, parsed: paths are absolute, `deadlineSeconds` counts from the script's start. */
export type RefreshConfig = TokenSourceConfig & {
  tokenEnvFile: string;
  gh: { configDir: string; host: string } | null;
};

/** The paths that a token source may need; a sidecar, which has no home, has only these. */
type SourcePaths = Pick<Paths, "home" | "privateKeyFile">;

/** Reads `github-app.env` and lays the environment over it; an empty variable counts as unset. Rejects with `config_invalid`. */
export function readRefreshSettings(env: Environment, { appEnvFile }: Paths): Environment {
  const given = Object.entries(env).filter(([, value]) => value);
  const settings = Object.fromEntries([...readAppEnvFile(appEnvFile)].filter(([, value]) => value !== ""));
  // One name for the key's path, so that the environment's wins whichever name each of the two uses.
  if (given.some(([name]) => keyPathNames.includes(name)))
    for (const name of keyPathNames) delete settings[name];
  // Node has read it already.
  if (env["NODE_EXTRA_CA_CERTS"]) delete settings["NODE_EXTRA_CA_CERTS"];
  const extraCaFile = settings["NODE_EXTRA_CA_CERTS"];
  return { ...settings, ...Object.fromEntries(given), NODE_EXTRA_CA_CERTS: extraCaFile };
}

const keyPathNames = ["GITHUB_APP_PRIVATE_KEY_PATH", "GITHUB_APP_PRIVATE_KEY_FILE"];

function readAppEnvFile(path: string): Map<string, string> {
  const variables = readEnvFile(path);
  if (variables.has("GITHUB_APP_PRIVATE_KEY")) {
    throw new GhauthError(
      "config_invalid",
      `${path} holds GITHUB_APP_PRIVATE_KEY, and the key belongs into a file of its own: move it to github-app.pem beside it (mode 600) and delete the line.`,
    );
  }
  return variables;
}

/** Proxies may stand in github-app.env, and whoever looks for them (gh too) looks into the environment. */
export function adoptProxy(settings: Environment, env: Record<string, string | undefined>): void {
  for (const name of ["HTTPS_PROXY", "NO_PROXY"]) {
    const value = settings[name];
    if (value !== undefined && !env[name.toLowerCase()]) env[name] ||= value;
  }
}

/**
 * Parses the settings of DESIGN 4.3. Rejects with `config_invalid`, naming the variable and what was expected. With
 * `anyInstallation` none need be known: whoever asks for a token names repositories then.
 */
export function parseRefreshConfig(
  settings: Environment,
  paths: Paths,
  { anyInstallation = false } = {},
): RefreshConfig {
  const source = parseTokenSourceConfig(settings, paths, { anyInstallation });
  return {
    ...source,
    tokenEnvFile: parsePath(settings["TOKEN_ENV_FILE"] ?? paths.tokenEnvFile, paths),
    gh: parseGh(settings, { apiUrl: source.apiUrl, paths }),
  };
}

/** The part of them that says where a token comes from. Rejects with `config_invalid`. */
export function parseTokenSourceConfig(
  settings: Environment,
  paths: SourcePaths,
  { usualDeadlineSeconds = 60, anyInstallation = false } = {},
): TokenSourceConfig {
  const source = parseSource(settings, paths);
  if (source.type === "app" && !anyInstallation) requireInstallation(source);
  return {
    apiUrl: parseUrl(settings, "GITHUB_API_URL", "https://api.github.com"),
    source,
    deadlineSeconds: parseDeadline(settings, usualDeadlineSeconds),
    extraCaFile: settings["NODE_EXTRA_CA_CERTS"] ?? null,
  };
}

function parseSource(settings: Environment, paths: SourcePaths): TokenSourceConfig["source"] {
  const name = settings["GITHUB_TOKEN_SOURCE"] ?? "app";
  const parse = sources.get(name);
  if (parse) return parse(settings, paths);
  throw invalid(
    "GITHUB_TOKEN_SOURCE",
    `must be one of ${[...sources.keys()].join(", ")}, not ${JSON.stringify(name)}`,
  );
}

const sources = new Map<string, (settings: Environment, paths: SourcePaths) => TokenSourceConfig["source"]>([
  ["app", parseAppSource],
  ["broker", parseBrokerSource],
  ["command", parseCommandSource],
]);

function parseAppSource(settings: Environment, paths: SourcePaths): AppSourceConfig {
  const appId = required(
    settings,
    "GITHUB_APP_ID",
    "the App ID (or client ID) from the App's settings page",
  ).trim();
  if (!/^[A-Za-z0-9._-]+$/.test(appId))
    throw invalid("GITHUB_APP_ID", "must be a number or a client ID (Iv…)");

  const installationId = settings["GITHUB_APP_INSTALLATION_ID"]?.trim() ?? null;
  if (installationId !== null && !/^\d+$/.test(installationId)) {
    throw invalid(
      "GITHUB_APP_INSTALLATION_ID",
      "must be a number: the last part of the installation's settings URL",
    );
  }
  const scope = {
    ...parseRepositories(settings["GITHUB_APP_REPOSITORIES"] ?? "", "GITHUB_APP_REPOSITORIES"),
    permissions: parsePermissions(settings["GITHUB_APP_PERMISSIONS"] ?? "", "GITHUB_APP_PERMISSIONS"),
  };
  return { type: "app", appId, installationId, privateKey: parseKeyOrigin(settings, paths), scope };
}

function requireInstallation({ installationId, scope }: AppSourceConfig): void {
  if (installationId !== null || scope.owner !== null) return;
  throw invalid(
    "GITHUB_APP_INSTALLATION_ID",
    "must be set, or GITHUB_APP_REPOSITORIES must name owner/repo so that the installation can be looked up",
  );
}

function parseKeyOrigin(settings: Environment, paths: SourcePaths): AppSourceConfig["privateKey"] {
  const text = settings["GITHUB_APP_PRIVATE_KEY"];
  if (text !== undefined) return { text: new Secret(text) };
  const path = settings["GITHUB_APP_PRIVATE_KEY_PATH"] ?? settings["GITHUB_APP_PRIVATE_KEY_FILE"];
  return { path: parsePath(path ?? paths.privateKeyFile, paths) };
}

function parseBrokerSource(settings: Environment, paths: SourcePaths): BrokerSourceConfig {
  required(settings, "GHAUTH_BROKER_URL", "the broker's base URL");
  return {
    type: "broker",
    url: parseUrl(settings, "GHAUTH_BROKER_URL", ""),
    bearerFile: parsePath(
      required(settings, "GHAUTH_BROKER_TOKEN_FILE", "the file with this host's bearer token"),
      paths,
    ),
    workspace: settings["GHAUTH_BROKER_WORKSPACE"] ?? null,
  };
}

function parseCommandSource(settings: Environment): CommandSourceConfig {
  const command = required(settings, "GITHUB_TOKEN_COMMAND", "the command that prints a token");
  try {
    const [program, ...rest] = split(command);
    if (program !== undefined) return { type: "command", words: [program, ...rest] };
  } catch {
    throw invalid("GITHUB_TOKEN_COMMAND", "has a quotation mark that is not closed");
  }
  throw invalid("GITHUB_TOKEN_COMMAND", "must name a program");
}

function parseGh(
  settings: Environment,
  { apiUrl, paths }: { apiUrl: URL; paths: Paths },
): RefreshConfig["gh"] {
  const mode = settings["GH_AUTH"] ?? "auto";
  if (mode === "off") return null;
  if (mode !== "auto") throw invalid("GH_AUTH", `must be auto or off, not ${JSON.stringify(mode)}`);
  return {
    configDir: parsePath(settings["GH_CONFIG_DIR"] ?? paths.ghConfigDir, paths),
    // GitHub's own clouds have their API on a host beside; an Enterprise Server has it on its own.
    host: apiUrl.hostname.replace(/^api\.(github\.com|[a-z0-9-]+\.ghe\.com)$/, "$1"),
  };
}

const longestDeadlineSeconds = 3600;

function parseDeadline(settings: Environment, usualSeconds: number): number {
  const seconds = Number(settings["GHAUTH_REFRESH_DEADLINE_SECONDS"] ?? usualSeconds);
  if (!(seconds > 0 && seconds <= longestDeadlineSeconds)) {
    throw invalid(
      "GHAUTH_REFRESH_DEADLINE_SECONDS",
      `must be a number of seconds, at most ${longestDeadlineSeconds}`,
    );
  }
  return seconds;
}

function parseUrl(settings: Environment, name: string, fallback: string): URL {
  const text = settings[name] ?? fallback;
  const url = URL.canParse(text) ? new URL(text) : null;
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username ||
    url.password ||
    url.search ||
    url.hash
  ) {
    throw invalid(name, "must be a plain http(s) URL, as in https://api.github.com");
  }
  return url;
}

function parsePath(path: string, { home }: SourcePaths): string {
  return expandPath(path, { home });
}

function required(settings: Environment, name: string, what: string): string {
  const value = settings[name];
  if (value === undefined)
    throw invalid(name, `is not set: give ${what}, in the environment or in github-app.env`);
  return value;
}

function invalid(name: string, complaint: string): GhauthError {
  return new GhauthError("config_invalid", `${name} ${complaint}.`);
}
