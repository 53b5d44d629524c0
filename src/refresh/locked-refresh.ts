import { GhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import type { AnswerFiles } from "../token/answer-files.js";
import { refusedSince } from "../token/refused-tokens.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { isFromTheFuture, millisecondsLeft } from "../token/token-state.js";
import { connect } from "./connection.js";
import { publish } from "./publish.js";
import type { RefreshConfig } from "./refresh-config.js";
import { type FileLock, takeFileLock } from "../files/file-lock.js";
import { refresh, type Refreshed } from "../source/obtain-and-try.js";
import { createTokenSource, type SourceDeps, type TokenSource } from "../source/token-source.js";

export type LockedRefreshDeps = {
  clock: Clock;
  random: () => number;
  env: Environment;
  lockFile: string;
  /** Where `git-credential-ghauth erase` marks tokens that GitHub refused. */
  refusedTokens: string;
  answerFiles: AnswerFiles | null;
};

export type LockedRefreshOptions = {
  /** Mint even if another run has just published. */
  force: boolean;
  /** When this process began: what was published since then, another run published meanwhile. */
  startedAt: Date;
  /** The token env file as this process found it. */
  found: TokenFile;
  /** The expiry that the caller saw, in epoch seconds, if it told. */
  seenEpoch: number | null;
};

/** `refusedAt`: since when the token that was replaced was marked as refused, if it was. */
export type Replaced = Refreshed & { refusedAt: Date | null };

/**
 * One run of the refresh script, alone under the lock. Answers null where another run has published meanwhile.
 * Rejects with a GhauthError; the token env file and gh are then as they were.
 */
export async function refreshUnderLock(
  deps: LockedRefreshDeps,
  config: RefreshConfig,
  options: LockedRefreshOptions,
): Promise<Replaced | null> {
  const { clock, random, env, refusedTokens, answerFiles } = deps;
  const connection = connect(deps, config);
  const { request, timeLeftMs, deadlineMs } = connection;
  let lock: FileLock | undefined;
  try {
    const opening = open(connection, config, deps.lockFile);
    connection.prepare();
    const opened = await opening;
    lock = opened.lock;
    const held = readTokenFile(config.tokenEnvFile);
    const refusedAt = held.type === "token" ? refusedSince(held.token.secret, refusedTokens) : null;
    const refused = held.type === "token" && refusedAt ? held.token.secret : undefined;
    if (!options.force && !refused && isJustPublished(held, clock.now(), options)) return null;

    const ghTimeoutMs = () => Math.min(longestGhMs, Math.max(shortestGhMs, timeLeftMs()));
    const refreshed = await refresh(
      {
        clock,
        random,
        source: { ...opened.source, obtain: async () => opened.source.obtain(refused) },
        request,
        publish: async (token) =>
          publish(
            { env, timeoutMs: ghTimeoutMs(), now: clock.now() },
            { ...config, refusedTokens, answerFiles },
            token,
          ),
      },
      { deadlineMs, host: config.apiUrl.host },
    );
    if (lock.complaint !== null)
      refreshed.warnings.push(`warning: ${lock.complaint}, so that refreshes at the same time each mint`);
    return { ...refreshed, refusedAt };
  } finally {
    lock?.release();
    connection.close();
  }
}

const longestGhMs = 20_000;
const shortestGhMs = 2_000;

/** The key is read and the transports are loaded while flock starts; a key that is no good does not wait for the lock. */
async function open(
  deps: SourceDeps,
  config: RefreshConfig,
  lockFile: string,
): Promise<{ source: TokenSource; lock: FileLock }> {
  const failed = new AbortController();
  const timeoutMs = deps.timeLeftMs();
  const locking = takeFileLock(lockFile, {
    timeoutMs,
    whenHeld: () =>
      new GhauthError(
        "lock_timeout",
        `Another refresh has held ${lockFile} for ${Math.round(timeoutMs / 1000)} s: if it hangs, end it.`,
      ),
    signal: failed.signal,
    descriptor: deps.env["GHAUTH_LOCK_FD"],
  });
  try {
    const source = createTokenSource(deps, config);
    const [, lock] = await Promise.all([source, locking]);
    return { source: await source, lock };
  } catch (error) {
    failed.abort();
    // Whichever failed first is the reason; a lock that was taken all the same is given back.
    locking.then(
      (lock) => lock.release(),
      () => {},
    );
    throw error;
  }
}

function isJustPublished(file: TokenFile, now: Date, options: LockedRefreshOptions): boolean {
  const { startedAt, found, seenEpoch } = options;
  if (file.type !== "token" || millisecondsLeft(file, now) <= 0) return false;
  const expiresEpoch = Math.floor((file.token.expiresAt?.getTime() ?? 0) / 1000);
  return (
    (file.writtenAt >= startedAt && !isFromTheFuture(file, now)) ||
    // Where a file's time is coarse, or another host's, its content tells.
    (found.type === "token" && found.token.secret.reveal() !== file.token.secret.reveal()) ||
    (seenEpoch !== null && expiresEpoch > seenEpoch && !isFromTheFuture(file, now))
  );
}
