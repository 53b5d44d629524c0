import type { GhauthError } from "../errors.js";
import type { HttpRequest } from "../github/http-client.js";
import type { GitHubRequest } from "../github/github-api.js";
import type { Clock } from "../system/clock.js";
import type { Secret } from "../token/secret.js";
import type { InstallationToken } from "../token/installation-token.js";
import type { TokenSourceConfig } from "./source-config.js";

/** A token as a source gave it; `clockOffsetMs` is how far GitHub's clock is ahead of this host's, where it said so. */
export type ObtainedToken = InstallationToken & { clockOffsetMs?: number };

/**
 * What a source says without giving a token: `works` is a clause for a sentence; `permissions` are a token's, and
 * `clockOffsetMs` is how far GitHub's clock is ahead, where it can know.
 */
export type SourceCheck = {
  works: string;
  permissions: Record<string, string> | null;
  clockOffsetMs: number | null;
};

export type TokenSource = {
  /**
   * Gets a token, once: whoever calls decides about another try. `refused` is one that GitHub refused before its time,
   * for a source that would give the same again.
   */
  obtain: (refused?: Secret) => Promise<ObtainedToken>;
  /** Tells a final refusal more precisely, at the price of more questions to GitHub. */
  diagnose?: (refusal: GhauthError) => Promise<GhauthError>;
};

/** A source as the settings name it. */
export type ConfiguredSource = TokenSource & {
  /** Tries all that it can without a new token. Rejects as `obtain` would. */
  check: () => Promise<SourceCheck>;
};

export type SourceDeps = {
  http: HttpRequest;
  request: GitHubRequest;
  clock: Clock;
  timeLeftMs: () => number;
  env: Readonly<Record<string, string | undefined>>;
};

/** The configured token source; each is loaded only when it is the one. Rejects where its key or file is unusable. */
export async function createTokenSource(
  deps: SourceDeps,
  config: Pick<TokenSourceConfig, "apiUrl" | "source">,
): Promise<ConfiguredSource> {
  const { source } = config;
  switch (source.type) {
    case "app":
      return (await import("./app-source.js")).createAppSource(deps, { ...source, host: config.apiUrl.host });
    case "broker":
      return (await import("./broker-source.js")).createBrokerSource(deps, source);
    case "command":
      return (await import("./command-source.js")).createCommandSource(deps, source);
  }
}
