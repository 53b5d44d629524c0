import { GhauthError, toGhauthError } from "../errors.js";
import type { Clock } from "../system/clock.js";
import { createLruMap } from "./lru-map.js";
import {
  type HeldToken,
  hasEnough,
  isDueForRenewal,
  hasGained,
  leastLifeMs,
  lifeLeft,
} from "./held-token.js";

/** Where a served token came from. */
export type ServedFrom = "mint" | "store" | "cache";
export type ServedToken = { token: HeldToken; from: ServedFrom };

/** Gets a token that is not due for renewal and has `needMs` left, if the source gives such: from a shared store, or by minting. */
export type Obtain<Target> = (key: string, target: Target, needMs: number) => Promise<ServedToken>;

export type TokenCacheDeps<Target> = {
  clock: Clock;
  obtain: Obtain<Target>;
  /** A renewal in the background failed; the token that is held is still served. */
  onRenewalFailed: (error: GhauthError, target: Target) => void;
  mostTokens?: number;
};

type Pause = { untilMs: number; error: GhauthError };

/** After a failure that says nothing of time; meanwhile a token that is still good is served as it is. */
const pauseMs = 10_000;
const absencePauseMs = 30_000;
const defaultMostTokens = 1000;

export type TokenCache<Target> = {
  /** A token with `needMs` left, or 5 minutes; below that only while no better one can be had. Rejects as `obtain` does. */
  get: (key: string, target: Target, needMs: number) => Promise<ServedToken>;
  /** The same at once, where nothing need be waited for; else null. */
  peek: (key: string, target: Target, needMs: number) => ServedToken | null;
  /** What is held, as long as it lives, however little that is; else null. */
  kept: (key: string) => ServedToken | null;
  /** Whether GitHub has just said that the App is not installed there: that is not asked again for 30 s. */
  isAbsent: (key: string) => boolean;
  /** Lets the next `get` ask at once, whatever was said before. */
  unpause: (key: string) => void;
  /** Forgets the token that is held. */
  drop: (key: string) => void;
  /** The tokens that are held and live, by their keys. */
  live: () => [string, HeldToken][];
};

/**
 * Tokens in memory, the least recently used dropped first: one mint per key however many ask, renewed in the
 * background once a third of the life is left. While renewing fails, what is held is served until it expires.
 */
export function createTokenCache<Target>({
  clock,
  obtain,
  onRenewalFailed,
  mostTokens = defaultMostTokens,
}: TokenCacheDeps<Target>): TokenCache<Target> {
  const held = createLruMap<HeldToken>(mostTokens);
  const jobs = new Map<string, Promise<ServedToken>>();
  /** GitHub, or our patience with it, wants no other try before this instant of `clock.elapsedMs`. */
  const pauses = createLruMap<Pause>(mostTokens);

  const start = async (key: string, target: Target, needMs: number): Promise<ServedToken> => {
    try {
      const served = await obtain(key, target, needMs);
      held.set(key, served.token);
      pauses.delete(key);
      return served;
    } catch (thrown) {
      const error = toGhauthError(thrown);
      if (error.traits.endsTokens) held.delete(key);
      const waitMs = error.retryAfterMs ?? (error.traits.isAbsence ? absencePauseMs : pauseMs);
      pauses.set(key, { untilMs: clock.elapsedMs() + waitMs, error });
      throw error;
    }
  };

  const renew = async (key: string, target: Target, needMs: number): Promise<ServedToken> => {
    const running = jobs.get(key);
    if (running) return running;
    const job = start(key, target, needMs).finally(() => jobs.delete(key));
    jobs.set(key, job);
    return job;
  };

  const pauseOf = (key: string) => {
    const pause = pauses.get(key);
    return pause && pause.untilMs > clock.elapsedMs() ? pause : undefined;
  };

  const renewInBackground = (key: string, target: Target) => {
    if (jobs.has(key) || pauseOf(key)) return;
    renew(key, target, leastLifeMs).catch((thrown: unknown) => {
      const error = toGhauthError(thrown);
      onRenewalFailed(error, target);
    });
  };

  const isAbsent = (key: string) => {
    const pause = pauseOf(key);
    return pause?.error.traits.isAbsence === true;
  };

  const kept = (key: string): ServedToken | null => {
    const token = held.get(key);
    return token && lifeLeft(token, clock.now()) > 0 ? { token, from: "cache" } : null;
  };

  const peek = (key: string, target: Target, needMs: number): ServedToken | null => {
    const token = held.get(key);
    const now = clock.now();
    if (!token || hasGained(token, now)) return null;
    if (!hasEnough(token, needMs, now)) return null;
    if (isDueForRenewal(token, now)) renewInBackground(key, target);
    return { token, from: "cache" };
  };

  return {
    peek,
    kept,
    isAbsent,
    unpause: pauses.delete,
    drop: held.delete,
    get: async (key, target, needMs) => {
      const found = peek(key, target, needMs);
      if (found) return found;
      const pause = pauseOf(key);
      const instead = pause && kept(key);
      if (instead) return instead;
      // What a person must mend is not mended by asking again at once.
      if (pause && (pause.error.retryAfterMs !== undefined || !pause.error.isTransient))
        throw stillWaiting(pause, clock.elapsedMs());
      try {
        const joined = jobs.get(key);
        const served = await (joined ?? renew(key, target, needMs));
        const isEnough = !joined || hasEnough(served.token, needMs, clock.now());
        return isEnough ? served : await renew(key, target, needMs);
      } catch (thrown) {
        const fallback = kept(key);
        if (fallback) return fallback;
        throw thrown;
      }
    },
    live: () => held.entries().filter(([, token]) => lifeLeft(token, clock.now()) > 0),
  };
}

/** What GitHub said before, with what is left of the time it asked for. */
function stillWaiting({ untilMs, error }: Pause, elapsedMs: number): GhauthError {
  return new GhauthError(error.code, error.message, { cause: error, retryAfterMs: untilMs - elapsedMs });
}
