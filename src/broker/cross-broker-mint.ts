import { GhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import type { Secret } from "../token/secret.js";
import { isoSeconds } from "../token/token-file.js";
import { type HeldToken, hasEnough, isDueForRenewal } from "./held-token.js";
import type { ServedToken } from "./token-cache.js";
import type { StoredToken, TokenStore, Unlock } from "./token-store.js";
import type { TokenTrials } from "./token-trials.js";

/** Minting that several brokers share. */
export type SharedMint = {
  /** A token that another broker minted, or what `mint` gives, which one of them runs at a time. */
  obtain: (key: string, needMs: number, mint: () => Promise<HeldToken>) => Promise<ServedToken>;
  /** Takes a token that is no good away from the others. */
  drop: (key: string, token: Secret) => Promise<void>;
};

export type SharedMintDeps = {
  clock: Clock;
  random: () => number;
  store: TokenStore;
  trials: TokenTrials;
  gitHubNow: () => Date;
};

const pollMs = 50;

/** A broker without a store mints for itself. */
export const mintAlone: SharedMint = {
  obtain: async (_key, _needMs, mint) => ({ token: await mint(), from: "mint" }),
  drop: async () => {},
};

/**
 * Of the brokers that want a token at once, the one that has the lock mints and the others find it in the store.
 * Without the store each goes on alone.
 */
export function createSharedMint(
  { clock, random, store, trials, gitHubNow }: SharedMintDeps,
  { deadlineMs }: { deadlineMs: number },
): SharedMint {
  const drop = async (key: string, token: Secret) => store.drop(key, token).catch(() => {}); // the store tells of it

  const look = async (key: string, needMs: number): Promise<ServedToken | null> => {
    const stored = await store.read(key);
    if (!stored) return null;
    // It may have been revoked since; and GitHub's answer tells what time it is there.
    if (await trials.isDead(stored.secret)) {
      await drop(key, stored.secret);
      return null;
    }
    const now = clock.now();
    const token = holdStored(stored, { now, gitHubNow: gitHubNow() });
    if (!token || !hasEnough(token, needMs, now) || isDueForRenewal(token, now)) return null;
    return { token, from: "store" };
  };

  const mintLocked = async (key: string, mint: () => Promise<HeldToken>): Promise<ServedToken> => {
    const token = await mint();
    // The token is good whether or not the others get to see it.
    await store.write(key, token).catch(() => {});
    return { token, from: "mint" };
  };

  const obtain: SharedMint["obtain"] = async (key, needMs, mint) => {
    const until = clock.elapsedMs() + deadlineMs;
    for (;;) {
      let unlock: Unlock | null;
      try {
        const found = await look(key, needMs);
        if (found) return found;
        unlock = await store.lock(key);
      } catch {
        return mintAlone.obtain(key, needMs, mint); // the store says itself that it is gone
      }
      if (unlock) {
        try {
          // Between the look and the lock another may have been quicker.
          const found = await look(key, needMs).catch(() => null);
          return found ?? (await mintLocked(key, mint));
        } finally {
          await unlock().catch(() => {}); // it runs out by itself
        }
      }
      if (clock.elapsedMs() > until)
        throw new GhauthError("refresh_timeout", "Another broker has been minting this token for too long.");
      await clock.sleep(pollMs * (0.5 + random()));
    }
  };

  return { obtain, drop };
}

const expiryToleranceMs = 5 * 60_000;

/** The token on this host's clock; null where the store's own time to live is not what the token was sealed with. */
function holdStored(
  { secret, expiresAt, lifeMs, isExpiryKnown, timeToLiveMs }: StoredToken,
  { now, gitHubNow }: { now: Date; gitHubNow: Date },
): HeldToken | null {
  const leftMs = expiresAt.getTime() - gitHubNow.getTime();
  if (Math.abs(leftMs - timeToLiveMs) > expiryToleranceMs) return null;
  const expiresHereAt = new Date(now.getTime() + leftMs);
  return {
    secret,
    expiresAt: expiresHereAt,
    lifeMs,
    expiry: isExpiryKnown ? isoSeconds(expiresHereAt) : null,
    fingerprint: secret.fingerprint,
  };
}
