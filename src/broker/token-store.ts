import type { HeldToken } from "./held-token.js";

/** Gives a mint lock back; the store forgets it by itself if we die. */
export type Unlock = () => Promise<void>;

/** Where brokers share their tokens. Everything rejects, soon, while the store is not reached. */
export type TokenStore = {
  read: (key: string) => Promise<HeldToken | null>;
  write: (key: string, token: HeldToken) => Promise<void>;
  /** The lock on minting for this key, or null while another broker has it. */
  lock: (key: string) => Promise<Unlock | null>;
  isReached: () => boolean;
  close: () => Promise<void>;
};
