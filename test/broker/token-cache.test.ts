import { setImmediate as settled } from "node:timers/promises";
import { expect, test } from "vitest";
import { holdToken } from "../../src/broker/held-token.js";
import { createTokenCache, type Obtain } from "../../src/broker/token-cache.js";
import { GhauthError } from "../../src/errors.js";
import { Secret } from "../../src/token/secret.js";

const minute = 60_000;

/** A cache over a GitHub whose tokens live an hour and are numbered, on a clock that only `pass` moves. */
function createExample({ mostTokens = 100 } = {}) {
  const state = {
    elapsedMs: 0,
    mints: 0,
    failure: null as GhauthError | null,
    /** null: the source tells no expiry. */
    lifeMs: (60 * minute) as number | null,
  };
  const renewalsFailed: string[] = [];
  const now = () => new Date(Date.UTC(2026, 10, 22) + state.elapsedMs);
  const obtain: Obtain<null> = async () => {
    if (state.failure) throw state.failure;
    state.mints += 1;
    const secret = new Secret(`example-token-${state.mints}`);
    const expiresAt = state.lifeMs === null ? null : new Date(now().getTime() + state.lifeMs);
    return { token: holdToken({ secret, expiresAt }, now()), from: "mint" };
  };
  const clock = { now, elapsedMs: () => state.elapsedMs, sleep: async () => {} };
  const onRenewalFailed = ({ code }: GhauthError) => void renewalsFailed.push(code);
  const cache = createTokenCache({ clock, obtain, onRenewalFailed, mostTokens });
  return {
    state,
    cache,
    renewalsFailed,
    pass: (ms: number) => (state.elapsedMs += ms),
    /** The number of the token that is served; what that began in the background has ended then. */
    ask: async (needMs = 0, key = "key") => {
      const { token } = await cache.get(key, null, needMs);
      await settled();
      return Number(token.secret.reveal().split("-").at(-1));
    },
  };
}

const away = new GhauthError("github_unreachable", "GitHub is away.");

test("one mint for all who ask at once, and for all who come later", async () => {
  const { ask, state } = createExample();
  expect(new Set(await Promise.all(Array.from({ length: 50 }, async () => ask())))).toEqual(new Set([1]));
  expect(await ask(50 * minute)).toBe(1);
  expect(state.mints).toBe(1);
});

test("with a third of its life left a token is served and renewed in the background", async () => {
  const { ask, pass, state } = createExample();
  await ask();
  pass(39 * minute);
  expect(await ask()).toBe(1);
  expect(state.mints).toBe(1);
  pass(minute);
  expect(await ask()).toBe(1);
  expect(await ask()).toBe(2);
});

test("min_ttl, and 5 minutes without it, is waited for while GitHub answers", async () => {
  const { ask, pass } = createExample();
  await ask();
  pass(6 * minute);
  expect(await ask(54 * minute)).toBe(1);
  expect(await ask(55 * minute)).toBe(2);
  pass(56 * minute);
  expect(await ask()).toBe(3);
});

test("while GitHub is away what is held is served until it expires, and renewed once GitHub is back", async () => {
  const { ask, pass, state, renewalsFailed } = createExample();
  await ask();
  state.failure = away;
  pass(45 * minute);
  expect(await ask()).toBe(1);
  expect(await ask(50 * minute)).toBe(1);
  expect(renewalsFailed).toEqual(["github_unreachable"]);
  pass(14 * minute);
  expect(await ask()).toBe(1);
  pass(minute);
  await expect(ask()).rejects.toBe(away);
  state.failure = null;
  expect(await ask()).toBe(2);
});

test("a failing renewal is tried again after 10 seconds, not with every request", async () => {
  const { ask, pass, state, renewalsFailed } = createExample();
  await ask();
  state.failure = away;
  pass(45 * minute);
  for (let n = 0; n < 10; n++) await ask();
  expect(renewalsFailed).toHaveLength(1);
  pass(10_000);
  await ask();
  await ask();
  expect(renewalsFailed).toHaveLength(2);
});

test("a wait that GitHub asks for is kept, and its rest is told", async () => {
  const { ask, pass, state } = createExample();
  state.failure = new GhauthError("rate_limited", "Wait.", { retryAfterMs: minute });
  await expect(ask()).rejects.toMatchObject({ retryAfterMs: minute });
  state.failure = null;
  pass(20_000);
  await expect(ask()).rejects.toMatchObject({ code: "rate_limited", retryAfterMs: 40_000 });
  pass(40_000);
  expect(await ask()).toBe(1);
});

test("what GitHub has ended is served no more", async () => {
  const { ask, pass, state } = createExample();
  await ask();
  pass(56 * minute);
  state.failure = new GhauthError("installation_suspended", "It is suspended.");
  await expect(ask()).rejects.toBe(state.failure);
});

test("that the App is not installed is not asked again for 30 seconds", async () => {
  const { ask, pass, state, cache } = createExample();
  state.failure = new GhauthError("installation_not_found", "It is not installed.");
  await expect(ask()).rejects.toBe(state.failure);
  state.failure = null;
  pass(29_000);
  expect(cache.isAbsent("key")).toBe(true);
  await expect(ask()).rejects.toMatchObject({ code: "installation_not_found" });
  pass(1_000);
  expect(await ask()).toBe(1);
});

test.each([
  ["no expiry", null],
  ["20 minutes", 20 * minute],
  ["4 minutes", 4 * minute],
])("min_ttl asks a source that gives %s no more often than without it", async (_, lifeMs) => {
  const { ask, pass, state } = createExample();
  state.lifeMs = lifeMs;
  await Promise.all(Array.from({ length: 20 }, async () => ask(50 * minute)));
  for (let n = 0; n < 20; n++) await ask(50 * minute);
  pass(minute);
  expect(await ask(50 * minute)).toBe(1);
  expect(state.mints).toBe(1);
});

test("what a person must mend is not asked again for 10 seconds", async () => {
  const { ask, pass, state } = createExample();
  state.failure = new GhauthError("permission_not_granted", "It was not granted.");
  await expect(ask()).rejects.toBe(state.failure);
  state.failure = null;
  pass(9_000);
  await expect(ask()).rejects.toMatchObject({ code: "permission_not_granted" });
  pass(1_000);
  expect(await ask()).toBe(1);
});

test("a token that a clock which was set back has made younger than new is replaced", async () => {
  const { ask, pass, state } = createExample();
  await ask();
  pass(-5 * 60 * minute);
  expect(await ask()).toBe(2);
  state.failure = away;
  pass(-5 * 60 * minute);
  expect(await ask()).toBe(2);
});

test("the token that was used longest ago is dropped first", async () => {
  const { ask, state, cache } = createExample({ mostTokens: 2 });
  await ask(0, "a");
  await ask(0, "b");
  await ask(0, "a");
  await ask(0, "c");
  expect(cache.live().map(([key]) => key)).toEqual(["a", "c"]);
  await ask(0, "a");
  expect(state.mints).toBe(3);
});
