import { GhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import type { AnswerFiles } from "../token/answer-files.js";
import { isToBeRevoked, refusedSince } from "../token/token-marks.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { isFromTheFuture, millisecondsLeft } from "../token/judge-token-file.js";
import { connect } from "./connection.js";
import { publish } from "./publish.js";
import type { RefreshConfig } from "./refresh-config.js";
import {
  failAfter,
  markForRevocation,
  refuseRevoked,
  type Revoked,
  revokeTokens,
  tokensIn,
} from "./revocation.js";
import { type FileLock, takeFileLock } from "../files/file-lock.js";
import { refresh, type Refreshed } from "../source/obtain-and-try.js";
import { createTokenSource, type SourceDeps, type TokenSource } from "../source/token-source.js";

export type LockedRefreshDeps = {
  clock: Clock;
  random: () => number;
  env: Environment;
  lockFile: string;
  /** Where tokens that GitHub refused, or is still to revoke, are marked. */
  refusedTokens: string;
  gitAnswers: string;
  answerFiles: AnswerFiles | null;
};

export type LockedRefreshOptions = {
  /** Mint even if another run has just published. */
  force: boolean;
  /** Revoke the token that is held, and the one that was found, before another one is minted. */
  revokes: boolean;
  /** When this process began: what was published since then, another run published meanwhile. */
  startedAt: Date;
  /** The token env file as this process found it. */
  found: TokenFile;
  /** The expiry that the caller saw, in epoch seconds, if it told. */
  seenEpoch: number | null;
};

/** `refusedAt`: since when the token that was replaced was marked as refused, if it was. */
export type Replaced = Refreshed & { refusedAt: Date | null; revoked: readonly Revoked[] };

/**
 * One run of the refresh script, alone under the lock. A token that is marked so is revoked before it is overwritten.
 * Answers null where another run has published meanwhile. Rejects with a GhauthError; the token env file and gh are then
 * as they were.
 */
export async function refreshUnderLock(
  deps: LockedRefreshDeps,
  config: RefreshConfig,
  options: LockedRefreshOptions,
): Promise<Replaced | null> {
  const { clock, random, env, refusedTokens, answerFiles } = deps;
  const { revokes } = options;
  const connection = connect(deps, config);
  const { request, timeLeftMs, deadlineMs } = connection;
  let lock: FileLock | undefined;
  let revoked: readonly Revoked[] = [];
  const marking = revokes ? markForRevocation(tokensIn(options.found), deps) : [];
  try {
    const opening = open(connection, config, { lockFile: deps.lockFile, needsSource: !revokes });
    connection.prepare();
    const opened = await opening;
    lock = opened.lock;
    const held = readTokenFile(config.tokenEnvFile);
    if (revokes) marking.push(...markForRevocation(tokensIn(held), deps));
    const refusedAt = held.type === "token" ? refusedSince(held.token.secret, refusedTokens) : null;
    const refused = held.type === "token" && refusedAt ? held.token.secret : undefined;
    if (!options.force && !refused && isJustPublished(held, clock.now(), options)) return null;

    const { host } = config.apiUrl;
    const isPending = refused !== undefined && isToBeRevoked(refused, refusedTokens);
    const ending = revokes ? tokensIn(options.found, held) : isPending ? tokensIn(held) : [];
    const revocation = await revokeTokens({ ...deps, request }, ending, {
      deadlineMs,
      host,
      isDemanded: revokes,
    });
    ({ revoked } = revocation);
    const source = await opened.source;
    const ghTimeoutMs = () => Math.min(longestGhMs, Math.max(shortestGhMs, timeLeftMs()));
    const refreshed = await refresh(
      {
        clock,
        random,
        source: { ...source, obtain: async () => refuseRevoked(await source.obtain(refused), revoked) },
        request,
        publish: async (token) =>
          publish(
            { env, timeoutMs: ghTimeoutMs(), now: clock.now() },
            { ...config, refusedTokens, answerFiles },
            token,
          ),
      },
      { deadlineMs, host },
    );
    if (lock.complaint !== null)
      refreshed.warnings.push(`warning: ${lock.complaint}, so that refreshes at the same time each mint`);
    refreshed.warnings.push(...marking, ...revocation.warnings);
    return { ...refreshed, refusedAt, revoked };
  } catch (thrown) {
    throw failAfter(revoked, thrown);
  } finally {
    lock?.release();
    connection.close();
  }
}

const longestGhMs = 20_000;
const shortestGhMs = 2_000;

/**
 * The key is read and the transports are loaded while flock starts. A key that is no good does not wait for the lock,
 * where the source is needed: to revoke a token, none is.
 */
async function open(
  deps: SourceDeps,
  config: RefreshConfig,
  { lockFile, needsSource }: { lockFile: string; needsSource: boolean },
): Promise<{ source: Promise<TokenSource>; lock: FileLock }> {
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
    source.catch(() => {}); // whoever waits for it is told
    const [lock] = await Promise.all([locking, needsSource && source]);
    return { source, lock };
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
