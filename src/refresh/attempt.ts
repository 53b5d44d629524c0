import { createGitHubRequest } from "../github/github-api.js";
import { createHttpClient } from "../github/http-client.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { isRefused } from "../token/refused-token.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { millisecondsLeft } from "../token/token-state.js";
import { publish } from "./publish.js";
import type { RefreshConfig } from "./refresh-config.js";
import { takeRefreshLock } from "./refresh-lock.js";
import { refresh, type Refreshed } from "./refresh.js";
import { createTokenSource } from "./token-source.js";

export type AttemptDeps = {
  clock: Clock;
  random: () => number;
  env: Environment;
  lockFile: string;
  /** Where `git-credential-ghauth erase` marks a token that GitHub refused. */
  refusedTokenFile: string;
};

export type AttemptOptions = {
  /** Mint even if another run has just published. */
  force: boolean;
  /** When this process began: what was published since then, another run published meanwhile. */
  startedAt: Date;
  /** The expiry that the caller saw, in epoch seconds, if it told. */
  seenEpoch: number | null;
};

/**
 * One run of the refresh script, alone under the lock. Answers null where another run has published meanwhile.
 * Rejects with a GhauthError; the token env file and gh are then as they were.
 */
export async function attemptRefresh(
  { clock, random, env, lockFile, refusedTokenFile }: AttemptDeps,
  config: RefreshConfig,
  options: AttemptOptions,
): Promise<Refreshed | null> {
  const deadlineMs = config.deadlineSeconds * 1000;
  const timeLeftMs = () => deadlineMs - clock.elapsedMs();
  const http = createHttpClient({ timeLeftMs });
  const request = createGitHubRequest(http.request, config.apiUrl);
  try {
    // The key is read and the transports are loaded while flock starts.
    const [source, isLocked] = await Promise.all([
      createTokenSource({ http: http.request, request, clock, timeLeftMs, env }, config),
      takeRefreshLock(lockFile, { timeoutMs: timeLeftMs() }),
    ]);
    const found = readTokenFile(config.tokenEnvFile);
    const isBad = found.type === "token" && isRefused(found.token.secret, refusedTokenFile);
    if (!options.force && !isBad && isJustPublished(found, clock.now(), options)) return null;

    const ghTimeoutMs = () => Math.min(longestGhMs, Math.max(shortestGhMs, timeLeftMs()));
    const refreshed = await refresh(
      {
        clock,
        random,
        source,
        request,
        publish: async (token) => publish({ env, timeoutMs: ghTimeoutMs() }, config, token),
      },
      { deadlineMs, host: config.apiUrl.host },
    );
    if (!isLocked)
      refreshed.warnings.push(
        "warning: flock (util-linux) is not installed, so that refreshes at the same time each mint",
      );
    return refreshed;
  } finally {
    http.close();
  }
}

const longestGhMs = 20_000;
const shortestGhMs = 2_000;

function isJustPublished(file: TokenFile, now: Date, { startedAt, seenEpoch }: AttemptOptions): boolean {
  if (file.type !== "token" || millisecondsLeft(file, now) <= 0) return false;
  const expiresEpoch = Math.floor((file.token.expiresAt?.getTime() ?? 0) / 1000);
  return file.writtenAt >= startedAt || (seenEpoch !== null && expiresEpoch > seenEpoch);
}
