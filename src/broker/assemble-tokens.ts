import { toGhauthError } from "../errors.js";
import type { Scope } from "../github/scope.js";
import type { Log } from "../log/log.js";
import { parseTokenSourceConfig, type TokenSourceConfig } from "../source/source-config.js";
import { adoptProxy } from "../source/settings.js";
import type { Clock } from "../system/clock.js";
import type { Environment, Paths } from "../system/paths.js";
import type { BrokerOptions } from "./broker-options.js";
import { watchGitHubClock } from "./github-clock.js";
import { createMetrics, type Metrics } from "./metrics.js";
import type { RoutesDeps } from "./routes.js";
import { createTargetSources } from "./target-sources.js";
import { createSharedMint, mintAlone } from "./cross-broker-mint.js";
import { createSeal, readStoreKey } from "./token-seal.js";
import { createTokens, type Tokens } from "./tokens.js";
import type { TokenStore } from "./token-store.js";
import { createTokenTrials } from "./token-trials.js";

export type OpenTokensDeps = {
  clock: Clock;
  random: () => number;
  env: Record<string, string | undefined>;
  log: Log;
};
type Given = { settings: Environment; paths: Paths; options: BrokerOptions };

type OpenTokens = Pick<RoutesDeps, "tokens" | "app" | "storeState"> & {
  metrics: Metrics;
  close: () => Promise<void>;
};

const wholeScope: Scope = { owner: null, repositories: [], permissions: {} };

/**
 * All that stands behind the routes. A host without an App, or without its key, is told so by every answer; a key or
 * a setting that is wrong rejects.
 */
export async function openTokens(
  deps: OpenTokensDeps,
  { settings, paths, options }: Given,
): Promise<OpenTokens> {
  const { clock, random, log } = deps;
  adoptProxy(settings, deps.env);
  const opened = await openSources(deps, settings, paths);
  const metrics = createMetrics();
  if (typeof opened === "string") {
    log.warn("tokens.unavailable", { sentence: opened });
    return { tokens: opened, app: wholeScope, metrics, storeState: () => null, close: async () => {} };
  }
  const { sources, config } = opened;
  const deadlineMs = config.deadlineSeconds * 1000;
  const { request, gitHubNow } = watchGitHubClock(clock, sources.request);
  const trials = createTokenTrials({ clock, request });
  const store = await openStore({ ...deps, metrics, gitHubNow }, settings, options.store);
  const tokens: Tokens = createTokens(
    {
      ...deps,
      sources,
      request,
      trials,
      shared: store
        ? createSharedMint({ clock, random, store, trials, gitHubNow }, { deadlineMs })
        : mintAlone,
      onMinted: (token) => {
        metrics.minted();
        log.debug("token.minted", { sha256: token.fingerprint, expires_at: token.expiresAt });
      },
      onFailed: ({ code }) => metrics.failed(code),
      onRenewalFailed: ({ code, message }) =>
        log.warn("token.kept", { code, sentence: `${message} The token that is held stays.` }),
      onDropped: ({ fingerprint }) =>
        log.warn("token.dropped", { sha256: fingerprint, sentence: "GitHub does not know it any more." }),
      onNotReady: ({ code, message }) => log.warn("broker.not_ready", { code, sentence: message }),
    },
    { deadlineMs, host: config.apiUrl.host },
  );
  return {
    tokens,
    app: config.source.type === "app" ? config.source.scope : wholeScope,
    metrics,
    storeState: () => store && (store.isReached() ? "reached" : "not reached: this broker goes on alone"),
    close: async () => {
      sources.close();
      await store?.close();
    },
  };
}

type Sources = Awaited<ReturnType<typeof createTargetSources>>;

async function openSources(
  deps: OpenTokensDeps,
  settings: Environment,
  paths: Paths,
): Promise<{ sources: Sources; config: TokenSourceConfig } | Extract<RoutesDeps["tokens"], string>> {
  const isApp = (settings["GITHUB_TOKEN_SOURCE"] ?? "app") === "app";
  if (isApp && settings["GITHUB_APP_ID"] === undefined) return "no GitHub App configured";
  const config = parseTokenSourceConfig(settings, paths, { anyInstallation: true });
  try {
    return { sources: await createTargetSources(deps, config), config };
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (error.code !== "key_missing") throw error;
    deps.log.warn("key.missing", { code: error.code, sentence: error.message });
    return "no token provider registered";
  }
}

async function openStore(
  { clock, log, metrics, gitHubNow }: OpenTokensDeps & { metrics: Metrics; gitHubNow: () => Date },
  settings: Environment,
  options: BrokerOptions["store"],
): Promise<TokenStore | null> {
  if (!options) return null;
  const seal = createSeal(readStoreKey(options.keyFile));
  const onChange = (lostBecause: string | null) => {
    metrics.storeIs(lostBecause === null);
    if (lostBecause === null)
      log.info("store.back", { sentence: "The store is back: tokens are shared again." });
    else
      log.warn("store.lost", { sentence: `The store is lost (${lostBecause}): this broker goes on alone.` });
  };
  const { openRedisStore } = await import("./redis-store.js");
  const store = await openRedisStore(
    { seal, now: clock.now, gitHubNow, onChange },
    {
      url: options.url,
      username: settings["GHAUTH_STORE_USERNAME"],
      password: settings["GHAUTH_STORE_PASSWORD"],
    },
  );
  metrics.storeIs(store.isReached());
  return store;
}
