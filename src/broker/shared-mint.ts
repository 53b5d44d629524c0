import { GhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import { type HeldToken, isDueForRenewal, lifeLeft } from "./held-token.js";
import type { ServedToken } from "./token-cache.js";
import type { ShareMint } from "./tokens.js";
import type { TokenStore, Unlock } from "./token-store.js";

const pollMs = 50;

/** A broker without a store mints for itself. */
export const mintAlone: ShareMint = async (_key, _needMs, mint) => ({ token: await mint(), from: "mint" });

/**
 * Of the brokers that want a token at once, the one that has the lock mints and the others find it in the store.
 * Without the store each goes on alone.
 */
export function createSharedMint(
  { clock, random, store }: { clock: Clock; random: () => number; store: TokenStore },
  { deadlineMs }: { deadlineMs: number },
): ShareMint {
  const look = async (key: string, needMs: number): Promise<ServedToken | null> => {
    const token = await store.read(key);
    const now = clock.now();
    if (!token || lifeLeft(token, now) < needMs || isDueForRenewal(token, now)) return null;
    return { token, from: "store" };
  };

  const mintLocked = async (key: string, mint: () => Promise<HeldToken>): Promise<ServedToken> => {
    const token = await mint();
    // The token is good whether or not the others get to see it.
    await store.write(key, token).catch(() => {});
    return { token, from: "mint" };
  };

  return async (key, needMs, mint) => {
    const until = clock.elapsedMs() + deadlineMs;
    for (;;) {
      let unlock: Unlock | null;
      try {
        const found = await look(key, needMs);
        if (found) return found;
        unlock = await store.lock(key);
      } catch {
        return mintAlone(key, needMs, mint); // the store says itself that it is gone
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
}
