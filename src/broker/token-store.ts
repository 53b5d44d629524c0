import type { Secret } from "../token/secret.js";
import type { HeldToken } from "./held-token.js";

/** Gives a mint lock back; the store forgets it by itself if we die. */
export type Unlock = () => Promise<void>;

/** A token as the store has it: `expiresAt` is on GitHub's clock, `timeToLiveMs` what the store itself gives it. */
export type StoredToken = Pick<HeldToken, "secret" | "expiresAt" | "lifeMs"> & {
  isExpiryKnown: boolean;
  timeToLiveMs: number;
};

/** Where brokers share their tokens. Everything rejects, soon, while the store is not reached. */
export type TokenStore = {
  read: (key: string) => Promise<StoredToken | null>;
  write: (key: string, token: HeldToken) => Promise<void>;
  /** Removes this very token; another that was written meanwhile stays. */
  drop: (key: string, token: Secret) => Promise<void>;
  /** The lock on minting for this key, or null while another broker has it. */
  lock: (key: string) => Promise<Unlock | null>;
  isReached: () => boolean;
  close: () => Promise<void>;
};
