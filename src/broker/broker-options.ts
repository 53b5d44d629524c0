import { GhauthError } from "../errors.js";
import { readRefreshSettings } from "../source/settings.js";
import { type Environment, expandPath, type Paths, resolvePaths } from "../system/paths.js";
import { type ListenAddress, parseListenAddress } from "./listen.js";

/** The options of `ghauth broker`; paths are absolute, null is the default. */
export type BrokerOptions = {
  listen: ListenAddress;
  config: string | null;
  insecureNoAuth: boolean;
  store: { url: URL; keyFile: string } | null;
};

/** A broker's clients wait: the answer of 503 must reach them before they give up. */
const deadlineSeconds = "8";

/** The refresh script's settings, with a broker's own default for the deadline. */
export function readBrokerSettings(env: Environment, paths: Paths): Environment {
  const settings = readRefreshSettings(env, paths);
  return {
    ...settings,
    GHAUTH_REFRESH_DEADLINE_SECONDS: settings["GHAUTH_REFRESH_DEADLINE_SECONDS"] ?? deadlineSeconds,
  };
}

/** The options as they were given. */
export type GivenOptions = {
  listen?: string;
  config?: string;
  insecureNoAuth?: true;
  store?: string;
  storeKeyFile?: string;
};

/** Parses them. Throws `usage`. */
export function parseBrokerOptions({
  listen = "127.0.0.1:8787",
  config,
  insecureNoAuth,
  store,
  storeKeyFile: keyFile,
}: GivenOptions): BrokerOptions {
  const paths = resolvePaths(process.env);
  if ((store === undefined) !== (keyFile === undefined))
    throw new GhauthError("usage", "--store and --store-key-file go together.");
  return {
    listen: parseListenAddress(listen),
    config: config === undefined ? null : expandPath(config, paths),
    insecureNoAuth: insecureNoAuth ?? false,
    store:
      store === undefined || keyFile === undefined
        ? null
        : { url: parseStoreUrl(store), keyFile: expandPath(keyFile, paths) },
  };
}

function parseStoreUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^rediss?:$/.test(url.protocol) || url.search || url.hash || !/^\/?\d*$/.test(url.pathname))
    throw new GhauthError("usage", "--store takes redis://HOST:PORT/DATABASE, or rediss:// with TLS.");
  if (url.password || url.username) {
    throw new GhauthError(
      "usage",
      "--store may hold no password, which every process could read there: set GHAUTH_STORE_USERNAME and GHAUTH_STORE_PASSWORD in the environment or in github-app.env.",
    );
  }
  return url;
}
