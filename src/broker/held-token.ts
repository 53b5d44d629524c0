import type { InstallationToken } from "../token/installation-token.js";
import type { Secret } from "../token/secret.js";
import { isoSeconds } from "../token/token-file.js";

/** A token that the broker holds: `expiresAt` is on this host's clock, `lifeMs` what it had when it was minted. */
export type HeldToken = {
  secret: Secret;
  expiresAt: Date;
  lifeMs: number;
  /** The expiry as RFC 3339, which is told; null where the source told none and `expiresAt` is our guess. */
  expiry: string | null;
  fingerprint: string;
};

/** A token whose source tells no expiry is asked for again soon. */
const unknownLifeMs = 10 * 60_000;

/** Never handed out with less, while another can be had. */
export const leastLifeMs = 5 * 60_000;

/**
 * Whether it has `needMs` left, or 5 minutes. Where the source tells no expiry, or its tokens have less from the
 * beginning, no better one can be had: then what it gives is enough.
 */
export function hasEnough(token: HeldToken, needMs: number, now: Date): boolean {
  const { lifeMs, expiry } = token;
  const leastMs = lifeMs > leastLifeMs ? leastLifeMs : lifeMs / 3;
  const isGiven = expiry !== null && needMs <= lifeMs;
  return lifeLeft(token, now) >= (isGiven ? Math.max(needMs, leastMs) : leastMs);
}

export function holdToken({ secret, expiresAt }: InstallationToken, now: Date): HeldToken {
  const until = expiresAt ?? new Date(now.getTime() + unknownLifeMs);
  return {
    secret,
    expiresAt: until,
    lifeMs: until.getTime() - now.getTime(),
    expiry: expiresAt && isoSeconds(expiresAt),
    fingerprint: secret.fingerprint,
  };
}

/** Milliseconds that a token has left. */
export function lifeLeft({ expiresAt }: HeldToken, now: Date): number {
  return expiresAt.getTime() - now.getTime();
}

/** The same in whole seconds, as people are told. */
export function secondsLeft(token: HeldToken, now: Date): number {
  return Math.floor(lifeLeft(token, now) / 1000);
}

const clockSlackMs = 60_000;

/** Whether it has more life left than it was minted with: this host's clock was set back since, and its end is unknown. */
export function hasGained(token: HeldToken, now: Date): boolean {
  return lifeLeft(token, now) > token.lifeMs + clockSlackMs;
}

/** Whether a third of its life or less is left. */
export function isDueForRenewal(token: HeldToken, now: Date): boolean {
  return lifeLeft(token, now) <= token.lifeMs / 3;
}
