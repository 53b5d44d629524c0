import { parseArgs } from "node:util";
import { GhauthError, messageOf } from "../errors.js";
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

/** Parses the options. Throws `usage`. */
export function parseBrokerOptions(args: string[]): BrokerOptions {
  const {
    listen,
    config,
    store,
    "store-key-file": keyFile,
    "insecure-no-auth": insecureNoAuth,
  } = parse(args);
  const paths = resolvePaths(process.env);
  if ((store === undefined) !== (keyFile === undefined))
    throw new GhauthError("usage", "--store and --store-key-file go together.");
  return {
    listen: parseListenAddress(listen),
    config: config === undefined ? null : expandPath(config, paths),
    insecureNoAuth,
    store:
      store === undefined || keyFile === undefined
        ? null
        : { url: parseStoreUrl(store), keyFile: expandPath(keyFile, paths) },
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        listen: { type: "string", default: "127.0.0.1:8787" },
        config: { type: "string" },
        store: { type: "string" },
        "store-key-file": { type: "string" },
        "insecure-no-auth": { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
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
