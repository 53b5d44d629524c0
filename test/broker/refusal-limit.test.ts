import { setImmediate as settled } from "node:timers/promises";
import { expect, test } from "vitest";
import { createRefusalLimits } from "../../src/broker/refusal-limit.js";
import { Refusal } from "../../src/broker/refusal.js";

/** The limits on a clock that only `pass` moves. */
function createExample() {
  let elapsedMs = 0;
  const limitOf = createRefusalLimits({ elapsedMs: () => elapsedMs });
  const refuse = (): never => {
    throw new Refusal(403, "no");
  };
  return {
    limitOf,
    refuse,
    pass: (ms: number) => (elapsedMs += ms),
    /** The status of a question that is refused without asking GitHub. */
    statusOf: (client: string): unknown => {
      try {
        return limitOf(client).read(refuse);
      } catch (thrown) {
        return thrown instanceof Refusal ? thrown.status : thrown;
      }
    },
  };
}

test("a refusal is forgotten a minute later, and makes room for one more", () => {
  const { statusOf, pass } = createExample();
  for (let n = 0; n < 60; n++) {
    expect(statusOf("one")).toBe(403);
    pass(500);
  }
  expect(statusOf("one")).toBe(429);
  pass(30_000);
  expect(statusOf("one")).toBe(403);
  expect(statusOf("one")).toBe(429);
  expect(statusOf("other")).toBe(403);
});

test("429 tells when the oldest refusal is forgotten", async () => {
  const { limitOf, statusOf, pass } = createExample();
  for (let n = 0; n < 60; n++) statusOf("one");
  pass(47_500);
  await expect(limitOf("one").ask(async () => "token")).rejects.toMatchObject({
    status: 429,
    retryAfterSeconds: 13,
  });
});

test("what is not the client's fault costs it nothing", async () => {
  const { limitOf } = createExample();
  const { ask } = limitOf("one");
  for (let n = 0; n < 100; n++)
    await expect(ask(async () => Promise.reject(new Refusal(503, "away")))).rejects.toMatchObject({
      status: 503,
    });
  expect(await ask(async () => "token")).toBe("token");
});

test("no more run at once than could be refused, and the others follow in their order", async () => {
  const { limitOf } = createExample();
  const { ask } = limitOf("one");
  const running: { n: number; end: () => void }[] = [];
  const asked = Array.from({ length: 65 }, async (_, n) =>
    ask(async () => new Promise<void>((end) => running.push({ n, end }))),
  );
  await settled();
  expect(running).toHaveLength(60);
  for (let at = 0; at < 65; at++) {
    running[at]?.end();
    await settled();
  }
  await Promise.all(asked);
  expect(running.map(({ n }) => n)).toEqual(Array.from({ length: 65 }, (_, n) => n));
});
