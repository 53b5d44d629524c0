import { toGhauthError } from "../errors.js";
import type { Scope } from "../github/scope.js";
import { adoptProxy, parseRefreshConfig, type RefreshConfig } from "../refresh/refresh-config.js";
import type { Clock } from "../system/clock.js";
import type { Environment, Paths } from "../system/paths.js";
import { redact } from "../token/secret.js";
import type { BrokerOptions } from "./broker-config.js";
import type { Log } from "./log.js";
import { createMetrics, type Metrics } from "./metrics.js";
import type { ServerDeps } from "./server.js";
import { createTokenProvider } from "./token-provider.js";
import { createTokenService, mintAlone, type TokenService } from "./token-service.js";

export type TokensDeps = {
  clock: Clock;
  random: () => number;
  env: Record<string, string | undefined>;
  log: Log;
};
type Given = { settings: Environment; paths: Paths; options: BrokerOptions };

type OpenTokens = Pick<ServerDeps, "tokens" | "app" | "storeState"> & {
  metrics: Metrics;
  close: () => Promise<void>;
};

const wholeScope: Scope = { owner: null, repositories: [], permissions: {} };

/**
 * All that stands behind the routes. A host without an App, or without its key, is told so by every answer; a key or
 * a setting that is wrong rejects.
 */
export async function openTokens(deps: TokensDeps, { settings, paths }: Given): Promise<OpenTokens> {
  const { log } = deps;
  adoptProxy(settings, deps.env);
  const opened = await openProvider(deps, settings, paths);
  const metrics = createMetrics();
  if (typeof opened === "string") {
    log.warn({ sentence: opened }, "no tokens can be served");
    return { tokens: opened, app: wholeScope, metrics, storeState: () => null, close: async () => {} };
  }
  const { provider, config } = opened;
  const tokens: TokenService = createTokenService(
    {
      ...deps,
      provider,
      request: provider.request,
      shareMint: mintAlone,
      onMinted: (token) => {
        metrics.minted();
        log.debug({ sha256: token.fingerprint, expires_at: token.expiresAt }, "minted");
      },
      onFailed: ({ code }) => metrics.failed(code),
      onRenewalFailed: ({ code, message }) =>
        log.warn({ code, sentence: redact(message) }, "not renewed: the token that is held stays"),
    },
    { deadlineMs: config.deadlineSeconds * 1000, host: config.apiUrl.host },
  );
  return {
    tokens,
    app: config.source.type === "app" ? config.source.scope : wholeScope,
    metrics,
    storeState: () => null,
    close: async () => provider.close(),
  };
}

type Provider = Awaited<ReturnType<typeof createTokenProvider>>;

async function openProvider(
  deps: TokensDeps,
  settings: Environment,
  paths: Paths,
): Promise<{ provider: Provider; config: RefreshConfig } | Extract<ServerDeps["tokens"], string>> {
  const isApp = (settings["GITHUB_TOKEN_SOURCE"] ?? "app") === "app";
  if (isApp && settings["GITHUB_APP_ID"] === undefined) return "no GitHub App configured";
  const config = parseRefreshConfig(settings, paths, { anyInstallation: true });
  try {
    return { provider: await createTokenProvider(deps, config), config };
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (error.code !== "key_missing") throw error;
    deps.log.warn({ code: error.code, sentence: error.message }, "the private key is missing");
    return "no token provider registered";
  }
}
