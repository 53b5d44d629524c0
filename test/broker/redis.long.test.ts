import { createHash, randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { expect, onTestFinished, test, type TestContext } from "vitest";
import { holdToken } from "../../src/broker/held-token.js";
import { openRedisStore } from "../../src/broker/redis-store.js";
import { createSharedMint } from "../../src/broker/cross-broker-mint.js";
import { createSeal } from "../../src/broker/token-seal.js";
import { systemClock } from "../../src/system/clock.js";
import { Secret } from "../../src/token/secret.js";
import { type Broker, createKeyHost } from "../support/broker.js";
import { app, expectNoSecret, installation } from "../support/machine.js";
import { needs } from "../support/needs.js";
import { startRedis } from "../support/redis-server.js";

const repositories = Array.from({ length: 120 }, (_, n) => `r${n}`);
const admin = "/admin/github-installation-token";
const apps = { apps: [app], installations: [{ ...installation, repositories }] };

/** Two brokers on one key host that share a Redis. */
async function createFleet(context: TestContext) {
  needs(context, "redis-server");
  const host = await createKeyHost(apps);
  host.letIn({ ops: "admin = true" });
  const redis = await startRedis(host.root);
  const keyFile = join(host.root, "store.key");
  host.write(keyFile, `${randomBytes(32).toString("hex")}\n`);
  const args = ["--store", redis.url, "--store-key-file", keyFile];
  const brokers: [Broker, Broker] = [await host.startBroker(args), await host.startBroker(args)];
  return Object.assign(host, { redis, brokers, storeArgs: args });
}

async function connectTo(url: string) {
  const client = createClient({ url });
  onTestFinished(() => client.destroy());
  return client.connect();
}

type Redis = Awaited<ReturnType<typeof connectTo>>;

const isOk = async (broker: Broker, path: string) => (await broker.call(path, { as: "ops" })).status === 200;

test("two brokers asked 500 times at once for one token mint once", async (context) => {
  await using fleet = await createFleet(context);
  const [one, other] = fleet.brokers;

  const asked = Array.from({ length: 500 }, async (_, n) => (n % 2 === 0 ? one : other).token(admin, "ops"));

  expect(new Set(await Promise.all(asked)).size).toBe(1);
  expect(fleet.github.mints).toBe(1);
});

test("a broker that dies while it mints holds the others up no longer than its lock lasts", async (context) => {
  await using fleet = await createFleet(context);
  const [one, other] = fleet.brokers;
  const release = fleet.github.hold();
  const lost = one.call(admin, { as: "ops" }).catch(() => "lost");
  await expect.poll(() => fleet.github.requests.map(({ method }) => method)).toContain("POST");
  const waiting = other.token(admin, "ops");
  one.send("SIGKILL");
  release();

  expect(await lost).toBe("lost");
  expect(fleet.github.isLive(await waiting)).toBe(true);
  expect(await other.tokenLine()).toMatchObject({ from: "mint", status: 200 });
});

test("a broker that comes later finds the token in the store, with the life it has left", async (context) => {
  await using fleet = await createFleet(context);
  const [one] = fleet.brokers;
  const first = await one.call(admin, { as: "ops" });
  const later = await fleet.startBroker(fleet.storeArgs);

  const second = await later.call(admin, { as: "ops" });

  const epochOf = ({ json }: typeof first) =>
    Date.parse(/"expires_at":"([^"]+)"/.exec(JSON.stringify(json))?.[1] ?? "");
  expect(second.status).toBe(200);
  expect(Math.abs(epochOf(first) - epochOf(second))).toBeLessThanOrEqual(1000);
  expect(await later.tokenLine()).toMatchObject({ from: "store" });
  expect(fleet.github.mints).toBe(1);
});

test("Redis learns neither a token nor a repository's name, and forgets when the token dies", async (context) => {
  await using fleet = await createFleet(context);
  const token = await fleet.brokers[0].token("/api/acme/r0", "ops");
  const client = await createClient({ url: fleet.redis.url }).connect();
  try {
    const keys = await client.keys("*");
    expect(keys).toEqual([expect.stringMatching(/^ghauth:2:token:[0-9a-f]{64}$/)]);
    const [key = ""] = keys;
    const stored = (await client.get(key)) ?? "";
    expect(stored.length).toBeGreaterThan(token.length);
    expectNoSecret(stored, [token]);
    expect(await client.pTTL(key)).toBeGreaterThan(3_500_000);
    expect(await client.pTTL(key)).toBeLessThanOrEqual(3_600_000);
  } finally {
    client.destroy();
  }
});

test("what another key sealed is no token: the broker mints its own", async (context) => {
  await using fleet = await createFleet(context);
  const keyFile = join(fleet.root, "other.key");
  fleet.write(keyFile, `${randomBytes(32).toString("base64")}\n`);
  await fleet.brokers[0].token(admin, "ops");
  const stranger = await fleet.startBroker(["--store", fleet.redis.url, "--store-key-file", keyFile]);

  expect(await isOk(stranger, admin)).toBe(true);

  expect(fleet.github.mints).toBe(2);
});

test("a token that died in the store is tried before it is first served, and is taken from the others", async (context) => {
  await using fleet = await createFleet(context);
  const [one, other] = fleet.brokers;
  const dead = await one.token(admin, "ops");
  fleet.github.revoke(dead);

  const alive = await other.token(admin, "ops");

  expect(fleet.github.isLive(alive)).toBe(true);
  const later = await fleet.startBroker(fleet.storeArgs);
  expect(await later.token(admin, "ops")).toBe(alive);
  const refused = createHash("sha256").update(dead).digest("hex").slice(0, 16);
  expect(await one.token(`${admin}?refused=${refused}`, "ops")).toBe(alive);
  expect(fleet.github.mints).toBe(2);
});

test.for([
  ["a longer TTL", async (redis: Redis, key: string) => redis.pExpire(key, 3_600_000 + 600_000)],
  ["a shorter TTL", async (redis: Redis, key: string) => redis.pExpire(key, 2_700_000)],
  ["no TTL", async (redis: Redis, key: string) => redis.persist(key)],
  [
    "a changed byte",
    async (redis: Redis, key: string) => {
      const sealed = Buffer.from((await redis.get(key)) ?? "", "base64");
      sealed.writeUInt8(sealed.readUInt8(40) ^ 1, 40);
      return redis.set(key, sealed.toString("base64"), { expiration: "KEEPTTL" });
    },
  ],
] as const)("an entry with %s is not served", async ([, tamper], context) => {
  await using fleet = await createFleet(context);
  const [one, other] = fleet.brokers;
  const first = await one.token(admin, "ops");
  const redis = await connectTo(fleet.redis.url);
  await tamper(redis, (await redis.keys("*"))[0] ?? "");

  expect(await other.token(admin, "ops")).not.toBe(first);
  expect(fleet.github.mints).toBe(2);
});

test("a lock without a TTL, or with one longer than a lock has, does not stop minting", async (context) => {
  await using fleet = await createFleet(context);
  const [one, other] = fleet.brokers;
  const redis = await connectTo(fleet.redis.url);
  await one.token("/api/acme/r0", "ops");
  const lock = ((await redis.keys("*"))[0] ?? "").replace(":token:", ":lock:");
  for (const options of [{}, { expiration: { type: "EX", value: 3600 } }] as const) {
    await redis.flushDb();
    await redis.set(lock, "somebody", options);
    const broker = await fleet.startBroker(fleet.storeArgs);
    expect(await isOk(broker, "/api/acme/r0")).toBe(true);
  }
  expect(await isOk(other, "/api/acme/r0")).toBe(true);
  expect(fleet.github.mints).toBe(3);
});

test("brokers whose clocks are hours apart share a token, each with the expiry on its own clock", async (context) => {
  needs(context, "redis-server");
  const redis = await startRedis(tmpdir());
  const seal = createSeal(randomBytes(32));
  const secret = new Secret("ghs_0123456789abcdefghij");
  const mintsAt = async (aheadMs: number) => {
    const now = () => new Date(Date.now() + aheadMs);
    const clock = { ...systemClock, now };
    const gitHubNow = () => new Date();
    const deps = { seal, now, gitHubNow, onChange: () => {} };
    const store = await openRedisStore(deps, { url: new URL(redis.url) });
    onTestFinished(store.close);
    const trials = { isDead: async () => false, recall: () => undefined };
    const shared = createSharedMint(
      { clock, random: Math.random, store, trials, gitHubNow },
      { deadlineMs: 5000 },
    );
    const mint = async () => holdToken({ secret, expiresAt: new Date(now().getTime() + 3_600_000) }, now());
    const { from, token } = await shared.obtain("key", 0, mint);
    return { from, leftMs: token.expiresAt.getTime() - now().getTime() };
  };

  expect(await mintsAt(0)).toMatchObject({ from: "mint" });
  for (const hours of [-5, 5]) {
    const { from, leftMs } = await mintsAt(hours * 3_600_000);
    expect(from).toBe("store");
    expect(leftMs).toBeGreaterThan(3_590_000);
    expect(leftMs).toBeLessThanOrEqual(3_600_000);
  }
});

test("Redis killed and started again under load loses no request, and the brokers share again", async (context) => {
  await using fleet = await createFleet(context);
  const { brokers, redis, github } = fleet;
  let answered = 0;
  const ask = async (n: number) => {
    const broker = brokers[n % 2] ?? brokers[0];
    const { status, text } = await broker.call(`/api/acme/r${Math.floor(n / 2) % 100}`, { as: "ops" });
    answered += 1;
    if (answered === 60) await redis.kill();
    if (answered === 140) await redis.restart();
    return status === 200 ? "ok" : `${status} ${text}`;
  };

  const lanes = Array.from({ length: 10 }, async (_, lane) => {
    const said = [];
    for (let n = lane; n < 400; n += 10) said.push(await ask(n));
    return said;
  });

  expect(new Set((await Promise.all(lanes)).flat())).toEqual(new Set(["ok"]));
  for (const broker of brokers) {
    await broker.saw('"store.lost"');
    await broker.saw('"store.back"');
    expect(await broker.call("/readyz")).toMatchObject({ status: 200, json: { store: "reached" } });
  }
  const before = github.mints;
  await Promise.all(brokers.map(async (broker) => broker.token("/api/acme/r110", "ops")));
  expect(github.mints).toBe(before + 1);
});

test("a Redis that hangs is gone too: /readyz and the log say so, and requests are answered", async (context) => {
  await using fleet = await createFleet(context);
  const [broker] = fleet.brokers;
  fleet.redis.freeze();

  expect(await isOk(broker, admin)).toBe(true);

  await broker.saw('"store.lost"');
  expect(await broker.call("/readyz")).toMatchObject({
    status: 200,
    json: { status: "ready", store: "not reached: this broker goes on alone" },
  });
  const { text } = await broker.call("/metrics");
  expect(text).toContain('ghauth_broker_store_up{store="redis"} 0');
});

test("a broker whose store is away from the start serves all the same", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const keyFile = join(host.root, "store.key");
  host.write(keyFile, `${randomBytes(32).toString("hex")}\n`);
  const broker = await host.startBroker(["--store", "redis://127.0.0.1:9/0", "--store-key-file", keyFile]);

  expect(await isOk(broker, admin)).toBe(true);
});
