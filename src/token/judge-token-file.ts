import type { TokenFile } from "./token-file.js";

/** In the order in which the first that holds is the state. */
export const tokenStates = ["missing", "unreadable", "insecure", "expired", "stale", "fresh"] as const;
export type TokenState = (typeof tokenStates)[number];

/** GitHub's installation tokens live one hour; so, we take it, does one whose expiry nobody wrote down. */
export const assumedLifeMs = 60 * 60_000;
const tooLittleLeftMs = 5 * 60_000;

/**
 * Judges a token env file: the first state that holds of missing, unreadable, insecure (others than its owner can
 * read or write it), expired, stale (older than `maxAgeMs`, under 5 minutes left, `refused` by GitHub, or
 * written by a clock that was set back since), fresh.
 */
export function judgeTokenFile(
  file: TokenFile,
  { now, maxAgeMs, refused = false }: { now: Date; maxAgeMs: number; refused?: boolean },
): TokenState {
  if (file.type === "missing" || file.type === "empty") return "missing";
  if (file.type === "unreadable") return "unreadable";
  if ((file.mode & 0o077) !== 0) return "insecure";
  const ageMs = now.getTime() - file.writtenAt.getTime();
  const leftMs = millisecondsLeft(file, now);
  if (leftMs <= 0) return "expired";
  if (ageMs > maxAgeMs || refused || isFromTheFuture(file, now)) return "stale";
  return file.token.expiresAt && leftMs < tooLittleLeftMs ? "stale" : "fresh";
}

const clockSlackMs = 5 * 60_000;
/** More than GitHub gives, with a minute for clocks that differ; a command's tokens may live longer. */
const longestLifeMs = 61 * 60_000;

/**
 * Whether a file was written by a clock that has been set back since: what it says of its expiry is as wrong. Its time
 * lies well ahead, or ahead at all while its token has more left than GitHub gives.
 */
export function isFromTheFuture(file: Extract<TokenFile, { type: "token" }>, now: Date): boolean {
  const aheadMs = file.writtenAt.getTime() - now.getTime();
  return aheadMs > clockSlackMs || (aheadMs > 0 && millisecondsLeft(file, now) > longestLifeMs);
}

/** How long the token of a file has to live, in milliseconds: by its expiry, or an hour from when it was written. */
export function millisecondsLeft(file: Extract<TokenFile, { type: "token" }>, now: Date): number {
  const expiresAt = file.token.expiresAt?.getTime() ?? file.writtenAt.getTime() + assumedLifeMs;
  return expiresAt - now.getTime();
}
