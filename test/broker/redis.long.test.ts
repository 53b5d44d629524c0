import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { createClient } from "@redis/client";
import { expect, test, type TestContext, vi } from "vitest";
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
  await vi.waitUntil(() => fleet.github.requests.some(({ method }) => method === "POST"));
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
    expect(keys).toEqual([expect.stringMatching(/^ghauth:token:[0-9a-f]{64}$/)]);
    const [key = ""] = keys;
    expectNoSecret((await client.get(key)) ?? "", [token]);
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
