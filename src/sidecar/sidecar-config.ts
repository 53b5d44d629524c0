import { join } from "node:path";
import { GhauthError, messageOf } from "../errors.js";
import { readIfThere } from "../files/regular-file.js";
import type { SettingNames } from "../github/operator-names.js";
import { parseTokenSourceConfig, type TokenSourceConfig } from "../source/source-config.js";
import type { Environment } from "../system/paths.js";

/** The token source of a sidecar; `warnings` are sentences about its reach. */
export type SidecarConfig = TokenSourceConfig & { warnings: string[] };

/** The files of a mounted secret, by the settings of the refresh script that they stand for. */
const secretFiles = { GITHUB_APP_ID: "app-id", GITHUB_APP_INSTALLATION_ID: "installation-id" };
const keyFile = "private-key";

export type SecretsOptions = { secretsDir: string; usualDeadlineSeconds: number };

/**
 * Reads the settings of the environment, laid over those of the mounted secret. Needs no home directory. Throws
 * `config_invalid`, in the words in which the operator of a container gave them.
 */
export function readSidecarConfig(env: Environment, options: SecretsOptions): SidecarConfig {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value));
  const isApp = (given["GITHUB_TOKEN_SOURCE"] ?? "app") === "app";
  const settings: Environment = {
    ...(isApp && readSecretFiles(given, options.secretsDir)),
    ...given,
    GITHUB_APP_REPOSITORIES: given["WORKSPACE_REPOS"] ?? given["GITHUB_APP_REPOSITORIES"],
    NODE_EXTRA_CA_CERTS: undefined, // Node has read it already
  };
  const privateKeyFile = join(options.secretsDir, keyFile);
  const paths = { home: given["HOME"] ?? "/", privateKeyFile };
  const config = parseTokenSourceConfig(settings, paths, {
    usualDeadlineSeconds: options.usualDeadlineSeconds,
    names: namesOf(given, options.secretsDir),
  });
  return {
    ...config,
    source: allowMountedKey(config.source, privateKeyFile),
    warnings: warnAboutReach(config.source, given["WORKSPACE_REPOS"]),
  };
}

function readSecretFiles(given: Environment, secretsDir: string): Environment {
  const read = Object.entries(secretFiles).map(([name, file]) => [
    name,
    given[name] === undefined ? readSecretFile(join(secretsDir, file)) : undefined,
  ]);
  const settings: Environment = Object.fromEntries(read);
  if (given["GITHUB_APP_ID"] === undefined && settings["GITHUB_APP_ID"] === undefined) {
    throw new GhauthError(
      "config_invalid",
      `There is no App ID: mount the App's secret (app-id, installation-id, private-key) at ${secretsDir}.`,
    );
  }
  return settings;
}

function readSecretFile(path: string): string | undefined {
  try {
    return readIfThere(path)?.text.trim() || undefined;
  } catch (error) {
    throw new GhauthError("config_invalid", `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

/** Kubernetes mounts secrets 0644, in a directory that only the container sees. */
function allowMountedKey(source: TokenSourceConfig["source"], mounted: string): TokenSourceConfig["source"] {
  if (source.type !== "app" || !("path" in source.privateKey)) return source;
  const { path } = source.privateKey;
  return { ...source, privateKey: { path, anyMode: path === mounted } };
}

function warnAboutReach(source: TokenSourceConfig["source"], repositories: string | undefined): string[] {
  if (source.type === "command") {
    return repositories === undefined
      ? []
      : ["WORKSPACE_REPOS does not scope this token: it reaches what the command gives it."];
  }
  if (source.scope.repositories.length > 0) return [];
  const reach = source.type === "app" ? "of the installation" : "that the broker allows";
  return [`The token reaches all repositories ${reach}: set WORKSPACE_REPOS to scope it.`];
}

/** Where a container's operator gave what the refresh script takes from its environment. */
function namesOf(given: Environment, secretsDir: string): SettingNames {
  const files = Object.entries(secretFiles)
    .filter(([name]) => given[name] === undefined)
    .map(([name, file]) => [name, join(secretsDir, file)]);
  return {
    ...Object.fromEntries(files),
    ...(given["WORKSPACE_REPOS"] !== undefined && { GITHUB_APP_REPOSITORIES: "WORKSPACE_REPOS" }),
  };
}
