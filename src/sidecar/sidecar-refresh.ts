import { toGhauthError } from "../errors.js";
import { createGitHubRequest } from "../github/github-api.js";
import { createHttpClient } from "../github/http-client.js";
import type { TokenSourceConfig } from "../source/source-config.js";
import { refresh, type Refreshed } from "../source/obtain-and-try.js";
import type { RetryDeps } from "../source/retry.js";
import { createTokenSource, type ObtainedToken, type TokenSource } from "../source/token-source.js";
import type { Environment } from "../system/paths.js";
import type { InstallationToken } from "../token/installation-token.js";

export type SidecarRefreshDeps = RetryDeps & {
  env: Environment;
  /** Read for each refresh: Kubernetes replaces a mounted secret while we run. */
  readConfig: () => TokenSourceConfig;
  publish: (token: InstallationToken) => void;
};

/** One refresh until `deadlineMs`, an instant of `clock.elapsedMs`; whoever calls decides about another. */
export type SidecarRefresh = (deadlineMs: number) => Promise<Refreshed>;

const worthKeepingMs = 30 * 60_000;

/**
 * The refresh script's core without its lock, token env file and gh. A token that was obtained and could not be tried
 * or written is taken up again by the next refresh, so that a full tmpfs costs one mint and not many.
 */
export function createSidecarRefresh(deps: SidecarRefreshDeps): SidecarRefresh {
  const { clock, random, env } = deps;
  let unpublished: ObtainedToken | null = null;

  const takeUp = (source: TokenSource): TokenSource => ({
    ...source,
    obtain: async () => {
      const leftMs = (unpublished?.expiresAt?.getTime() ?? 0) - clock.now().getTime();
      if (unpublished === null || leftMs < worthKeepingMs) unpublished = await source.obtain();
      return unpublished;
    },
  });

  const refreshOnce = async (deadlineMs: number): Promise<Refreshed> => {
    const config = deps.readConfig();
    const timeLeftMs = () => deadlineMs - clock.elapsedMs();
    const http = createHttpClient({ timeLeftMs, extraCaFile: config.extraCaFile });
    const request = createGitHubRequest(http.request, config.apiUrl);
    try {
      const sourceDeps = { http: http.request, request, clock, timeLeftMs, env };
      const source = takeUp(await createTokenSource(sourceDeps, config));
      const publish = async (token: InstallationToken) => {
        deps.publish(token);
        return [];
      };
      const options = { deadlineMs, host: config.apiUrl.host, obtainOnce: true };
      return await refresh({ clock, random, request, source, publish }, options);
    } finally {
      http.close();
    }
  };

  return async (deadlineMs) => {
    try {
      const refreshed = await refreshOnce(deadlineMs);
      unpublished = null;
      return refreshed;
    } catch (thrown) {
      if (toGhauthError(thrown).traits.endsNewToken) unpublished = null;
      throw thrown;
    }
  };
}
