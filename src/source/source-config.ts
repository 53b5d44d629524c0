import { split } from "shlex";
import { GhauthError } from "../errors.js";
import { parsePermissions, parseRepositories, type Scope } from "../github/scope.js";
import { nameOf, type SettingNames } from "../github/operator-names.js";
import { type Environment, expandPath, type Paths } from "../system/paths.js";
import { Secret } from "../token/secret.js";
import { parseAll } from "./parse-all.js";

export type AppSourceConfig = {
  type: "app";
  appId: string;
  installationId: string | null;
  /** `anyMode`: others may read the file, as they may where Kubernetes mounted it. */
  privateKey: { path: string; anyMode?: boolean } | { text: Secret };
  scope: Scope;
  names: SettingNames;
};
export type BrokerSourceConfig = {
  type: "broker";
  url: URL;
  bearerFile: string;
  workspace: string | null;
  /** What is asked for: without repositories, or without permissions, all that the broker's policy gives. */
  scope: Scope;
  names: SettingNames;
};
export type CommandSourceConfig = { type: "command"; words: [string, ...string[]] };

/** Where a token comes from, and how long that may take. */
export type TokenSourceConfig = {
  apiUrl: URL;
  source: AppSourceConfig | BrokerSourceConfig | CommandSourceConfig;
  deadlineSeconds: number;
  /** Certificates to trust that Node itself has not read at its start. */
  extraCaFile: string | null;
};

/** The paths that a token source may need; a sidecar, which has no home, has only these. */
type SourcePaths = Pick<Paths, "home" | "privateKeyFile">;

/** All that is parsed here: `names` are for complaints. */
type Given = { settings: Environment; paths: SourcePaths; names: SettingNames; anyInstallation: boolean };

/**
 * Parses the settings that say where a token comes from. Throws `config_invalid`, naming each wrong variable and what
 * was expected. With `anyInstallation` none need be known: whoever asks for a token names repositories then. `names` are
 * where the operator gave settings in another way than by these variables.
 */
export function parseTokenSourceConfig(
  settings: Environment,
  paths: SourcePaths,
  {
    usualDeadlineSeconds = 60,
    anyInstallation = false,
    names = {},
  }: { usualDeadlineSeconds?: number; anyInstallation?: boolean; names?: SettingNames } = {},
): TokenSourceConfig {
  return parseAll({
    source: () => parseSource({ settings, paths, names, anyInstallation }),
    apiUrl: () => parseUrl(settings, "GITHUB_API_URL", "https://api.github.com"),
    deadlineSeconds: () => parseDeadline(settings, usualDeadlineSeconds),
    extraCaFile: () => parseExtraCaFile(settings, paths),
  });
}

function parseSource(given: Given): TokenSourceConfig["source"] {
  const name = given.settings["GITHUB_TOKEN_SOURCE"] ?? "app";
  const parse = sources.get(name);
  if (parse) return parse(given);
  throw invalid(
    "GITHUB_TOKEN_SOURCE",
    `must be one of ${[...sources.keys()].join(", ")}, not ${JSON.stringify(name)}`,
  );
}

const sources = new Map<string, typeof parseSource>([
  ["app", parseAppSource],
  ["broker", parseBrokerSource],
  ["command", parseCommandSource],
]);

function parseAppSource(given: Given): AppSourceConfig {
  const { appId, target, permissions } = parseAll({
    appId: () => parseAppId(given),
    target: () => parseTarget(given),
    permissions: () => parseScopePermissions(given.settings),
  });
  const { installationId, repositories } = target;
  const scope = { ...repositories, permissions };
  const privateKey = parseKeyOrigin(given.settings, given.paths);
  return { type: "app", appId, installationId, privateKey, scope, names: given.names };
}

function parseAppId({ settings, names }: Given): string {
  const what = "the App ID (or client ID) from the App's settings page";
  const appId = required(settings, "GITHUB_APP_ID", what).trim();
  if (/^[A-Za-z0-9._-]+$/.test(appId)) return appId;
  throw invalid(nameOf("GITHUB_APP_ID", names), "must be a number or a client ID (Iv…)");
}

function parseInstallationId({ settings, names }: Given): string | null {
  const installationId = settings["GITHUB_APP_INSTALLATION_ID"]?.trim() ?? null;
  if (installationId === null || /^\d+$/.test(installationId)) return installationId;
  throw invalid(
    nameOf("GITHUB_APP_INSTALLATION_ID", names),
    "must be a number: the last part of the installation's settings URL",
  );
}

/** The installation, and the repositories that it can be looked up by. */
function parseTarget(given: Given) {
  const { names, anyInstallation } = given;
  const target = parseAll({
    installationId: () => parseInstallationId(given),
    repositories: () => parseScopeRepositories(given),
  });
  if (anyInstallation || target.installationId !== null || target.repositories.owner !== null) return target;
  throw invalid(
    nameOf("GITHUB_APP_INSTALLATION_ID", names),
    `must be set, or ${nameOf("GITHUB_APP_REPOSITORIES", names)} must name owner/repo so that the installation can be looked up`,
  );
}

function parseKeyOrigin(settings: Environment, paths: SourcePaths): AppSourceConfig["privateKey"] {
  const text = settings["GITHUB_APP_PRIVATE_KEY"];
  if (text !== undefined) return { text: new Secret(text) };
  const path = settings["GITHUB_APP_PRIVATE_KEY_PATH"] ?? settings["GITHUB_APP_PRIVATE_KEY_FILE"];
  return { path: parsePath(path ?? paths.privateKeyFile, paths) };
}

function parseBrokerSource(given: Given): BrokerSourceConfig {
  const { settings, paths, names } = given;
  const { url, bearerFile, repositories, permissions } = parseAll({
    url: () => {
      required(settings, "GHAUTH_BROKER_URL", "the broker's base URL");
      return parseUrl(settings, "GHAUTH_BROKER_URL", "");
    },
    bearerFile: () =>
      required(settings, "GHAUTH_BROKER_TOKEN_FILE", "the file with this host's bearer token"),
    repositories: () => parseOwnedRepositories(given),
    permissions: () => parseScopePermissions(given.settings),
  });
  const workspace = settings["GHAUTH_BROKER_WORKSPACE"] ?? null;
  const scope = { ...repositories, permissions };
  return { type: "broker", url, bearerFile: parsePath(bearerFile, paths), workspace, scope, names };
}

/** A broker serves several owners, and must be told whose. */
function parseOwnedRepositories(given: Given): Pick<Scope, "owner" | "repositories"> {
  const scoped = parseScopeRepositories(given);
  if (scoped.owner !== null || scoped.repositories.length === 0) return scoped;
  throw invalid(
    nameOf("GITHUB_APP_REPOSITORIES", given.names),
    "must name owner/repo where the token comes from a broker",
  );
}

function parseScopeRepositories({ settings, names }: Given): Pick<Scope, "owner" | "repositories"> {
  const name = "GITHUB_APP_REPOSITORIES";
  return parseRepositories(settings[name] ?? "", nameOf(name, names));
}

function parseScopePermissions(settings: Environment): Scope["permissions"] {
  return parsePermissions(settings["GITHUB_APP_PERMISSIONS"] ?? "", "GITHUB_APP_PERMISSIONS");
}

function parseExtraCaFile(settings: Environment, paths: SourcePaths): string | null {
  const path = settings["NODE_EXTRA_CA_CERTS"];
  return path === undefined ? null : parsePath(path, paths);
}

function parseCommandSource({ settings, paths: { home } }: Given): CommandSourceConfig {
  const command = required(settings, "GITHUB_TOKEN_COMMAND", "the command that prints a token");
  try {
    const [program, ...rest] = split(command);
    // A name without a slash is looked for on PATH.
    if (program !== undefined)
      return { type: "command", words: [program.replace(/^~(?=\/)/, home), ...rest] };
  } catch {
    throw invalid("GITHUB_TOKEN_COMMAND", "has a quotation mark that is not closed");
  }
  throw invalid("GITHUB_TOKEN_COMMAND", "must name a program");
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

export function parsePath(path: string, { home }: SourcePaths): string {
  return expandPath(path, { home });
}

function required(settings: Environment, name: string, what: string): string {
  const value = settings[name];
  if (value === undefined)
    throw invalid(name, `is not set: give ${what}, in the environment or in github-app.env`);
  return value;
}

/** Which setting is wrong, and what was expected. */
export function invalid(name: string, complaint: string): GhauthError {
  return new GhauthError("config_invalid", `${name} ${complaint}.`);
}
