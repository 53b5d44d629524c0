import { GhauthError, toGhauthError } from "../errors.js";
import type { GitHubRequest } from "../github/github-api.js";
import { refresh } from "../source/obtain-and-try.js";
import { retry } from "../source/retry.js";
import type { Clock } from "../system/clock.js";
import { withinTime } from "../system/within-time.js";
import type { Secret } from "../token/secret.js";
import { createLruMap } from "./lru-map.js";
import { createRecentAnswers } from "./recent-answers.js";
import type { SharedMint } from "./cross-broker-mint.js";
import type { TokenTrials } from "./token-trials.js";
import { createTokenCache, type Obtain, type ServedToken } from "./token-cache.js";
import { type HeldToken, holdToken } from "./held-token.js";
import type { ResolvedTarget, TargetSources } from "./target-sources.js";
import type { TokenTarget } from "./token-target.js";

export type TokensDeps = {
  clock: Clock;
  random: () => number;
  sources: TargetSources;
  request: GitHubRequest;
  trials: TokenTrials;
  shared: SharedMint;
  onMinted: (token: HeldToken) => void;
  onFailed: (error: GhauthError) => void;
  onRenewalFailed: (error: GhauthError) => void;
  /** GitHub does not know a token any more that has not expired. */
  onDropped: (token: HeldToken) => void;
  onNotReady: (error: GhauthError) => void;
};

/** What is asked of a token: how long it must live, and the first hex digits of the SHA-256 of one that GitHub refused. */
export type Wanted = { minTtlMs: number; refused: string | null };

export type Tokens = {
  /** The token at once, where nobody need be asked for it; else null. */
  peek: (target: TokenTarget, wanted: Wanted) => ServedToken | null;
  /** Rejects with `refresh_timeout` where there is no answer within the deadline, else with what GitHub refuses. */
  get: (target: TokenTarget, wanted: Wanted) => Promise<ServedToken>;
  live: () => [string, HeldToken][];
  /** Rejects unless a live token can be served; found out once for all who ask within 10 s. */
  check: () => Promise<void>;
};

const readinessMs = 10_000;
const mostDropped = 1000;

/** Tokens for targets: found in the cache, or minted and tried before anybody gets them. */
export function createTokens(
  deps: TokensDeps,
  { deadlineMs, host }: { deadlineMs: number; host: string },
): Tokens {
  const { clock, sources, trials, shared } = deps;
  /** The last token of each key that was dropped: a source that keeps tokens itself is told. */
  const dropped = createLruMap<Secret>(mostDropped);

  const counted = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (thrown) {
      const error = toGhauthError(thrown);
      deps.onFailed(error);
      throw error;
    }
  };

  const mint = async ({ key, source }: ResolvedTarget): Promise<HeldToken> =>
    counted(async () => {
      const until = clock.elapsedMs() + deadlineMs;
      const obtain = async () => source.obtain(dropped.get(key));
      const { token } = await refresh(
        { ...deps, source: { ...source, obtain }, publish: publishNowhere },
        { deadlineMs: until, host },
      );
      const held = holdToken(token, clock.now());
      dropped.delete(key);
      deps.onMinted(held);
      return held;
    });

  const obtain: Obtain<ResolvedTarget> = async (key, target, needMs) =>
    shared.obtain(key, needMs, async () => mint(target));
  const cache = createTokenCache({ clock, obtain, onRenewalFailed: deps.onRenewalFailed });

  const resolve = async (target: TokenTarget): Promise<ResolvedTarget> =>
    counted(async () =>
      retry(deps, { deadlineMs: clock.elapsedMs() + deadlineMs }, async () => sources.resolve(target)),
    );

  /** A client's word alone drops nothing. */
  const dropIfDead = async (key: string, refused: string | null): Promise<void> => {
    const held = cache.kept(key)?.token;
    if (!held || !isNamed(held, refused) || !(await trials.isDead(held.secret))) return;
    if (cache.kept(key)?.token !== held) return; // another who asked has dropped it
    cache.drop(key);
    dropped.set(key, held.secret);
    deps.onDropped(held);
    await shared.drop(key, held.secret);
  };

  const get = async (target: TokenTarget, { minTtlMs, refused }: Wanted): Promise<ServedToken> => {
    const resolved = await resolve(target);
    await dropIfDead(resolved.key, refused);
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

  const peek = (target: TokenTarget, { minTtlMs, refused }: Wanted): ServedToken | null => {
    const known = sources.recall(target);
    const found = known && cache.peek(known.key, known, minTtlMs);
    const isDoubted = found && isNamed(found.token, refused) && trials.recall(found.token.secret) !== false;
    return isDoubted ? null : found;
  };

  const readiness = createRecentAnswers<GhauthError | "ready">(clock, readinessMs);
  const probe = async (): Promise<GhauthError | "ready"> => {
    try {
      await answerWithin(deadlineMs, host, sources.probe());
      return "ready";
    } catch (thrown) {
      const error = toGhauthError(thrown);
      deps.onNotReady(error);
      return error;
    }
  };

  return {
    peek,
    get: async (target, wanted) => {
      const found = peek(target, wanted);
      if (found) return found;
      try {
        return await answerWithin(deadlineMs, host, get(target, wanted));
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
      if (cache.live().length > 0) return;
      const found = await readiness.get("", probe);
      if (found !== "ready") throw found;
    },
  };
}

function isNamed({ secret }: HeldToken, digits: string | null): boolean {
  return digits !== null && secret.sha256.startsWith(digits);
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
