import { GhauthError, toGhauthError } from "../errors.js";
import type { GitHubRequest } from "../github/github-api.js";
import { refresh } from "../source/obtain-and-try.js";
import { retry } from "../source/retry.js";
import type { Clock } from "../system/clock.js";
import { withinTime } from "../system/within-time.js";
import { createTokenCache, type Obtain, type ServedToken } from "./token-cache.js";
import { type HeldToken, holdToken } from "./held-token.js";
import type { ResolvedTarget, TargetSources } from "./target-sources.js";
import type { TokenTarget } from "./token-target.js";

/** Minting that several brokers share; `mint` is run by one of them at a time. */
export type ShareMint = (key: string, needMs: number, mint: () => Promise<HeldToken>) => Promise<ServedToken>;

export type TokensDeps = {
  clock: Clock;
  random: () => number;
  sources: TargetSources;
  request: GitHubRequest;
  shareMint: ShareMint;
  onMinted: (token: HeldToken) => void;
  onFailed: (error: GhauthError) => void;
  onRenewalFailed: (error: GhauthError) => void;
};

export type Tokens = {
  /** The token at once, where nobody need be asked for it; else null. */
  peek: (target: TokenTarget, minTtlMs: number) => ServedToken | null;
  /** Rejects with `refresh_timeout` where there is no answer within the deadline, else with what GitHub refuses. */
  get: (target: TokenTarget, minTtlMs: number) => Promise<ServedToken>;
  live: () => [string, HeldToken][];
  /** Rejects unless a live token can be served. */
  check: () => Promise<void>;
};

/** Tokens for targets: found in the cache, or minted and tried before anybody gets them. */
export function createTokens(
  deps: TokensDeps,
  { deadlineMs, host }: { deadlineMs: number; host: string },
): Tokens {
  const { clock, sources } = deps;

  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = toGhauthError(thrown);
      deps.onFailed(error);
      throw error;
    }
  };

  const mint = async ({ source }: ResolvedTarget): Promise<HeldToken> =>
    counted(async () => {
      const until = clock.elapsedMs() + deadlineMs;
      const { token } = await refresh(
        { ...deps, source, publish: publishNowhere },
        { deadlineMs: until, host },
      );
      const held = holdToken(token, clock.now());
      deps.onMinted(held);
      return held;
    });

  const obtain: Obtain<ResolvedTarget> = async (key, target, needMs) =>
    deps.shareMint(key, needMs, async () => mint(target));
  const cache = createTokenCache({ clock, obtain, onRenewalFailed: deps.onRenewalFailed });

  const resolve = async (target: TokenTarget): Promise<ResolvedTarget> =>
    counted(async () =>
      retry(deps, { deadlineMs: clock.elapsedMs() + deadlineMs }, async () => sources.resolve(target)),
    );

  const get = async (target: TokenTarget, minTtlMs: number): Promise<ServedToken> => {
    const resolved = await resolve(target);
    const isAbsent = cache.isAbsent(resolved.key);
    try {
      return await cache.get(resolved.key, resolved, minTtlMs);
    } catch (thrown) {
      const { traits } = toGhauthError(thrown);
      if (!traits.isAbsence || !resolved.forget || isAbsent) throw thrown;
      // Installed anew, or moved to another owner, since it was looked up.
      resolved.forget();
      const again = await resolve(target);
      cache.unpause(again.key);
      return cache.get(again.key, again, minTtlMs);
    }
  };

  const peek = (target: TokenTarget, minTtlMs: number): ServedToken | null => {
    const known = sources.recall(target);
    return known && cache.peek(known.key, known, minTtlMs);
  };

  return {
    peek,
    get: async (target, minTtlMs) => {
      const found = peek(target, minTtlMs);
      if (found) return found;
      try {
        return await answerWithin(deadlineMs, host, get(target, minTtlMs));
      } catch (thrown) {
        // GitHub hangs: what is held is better than nothing.
        const known = sources.recall(target);
        const kept = known && toGhauthError(thrown).code === "refresh_timeout" ? cache.kept(known.key) : null;
        if (kept) return kept;
        throw thrown;
      }
    },
    live: cache.live,
    check: async () => {
      if (cache.live().length === 0) await answerWithin(deadlineMs, host, sources.probe());
    },
  };
}

/** Whoever asked is answered in time; the work goes on for those who ask next. */
async function answerWithin<T>(ms: number, host: string, work: Promise<T>): Promise<T> {
  return withinTime(
    work,
    ms,
    () => new GhauthError("refresh_timeout", `${host} has given no token within ${ms / 1000} s.`),
  );
}

/** Whoever asked gets it in the answer. */
async function publishNowhere(): Promise<string[]> {
  return [];
}
