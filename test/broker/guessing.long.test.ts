import { expect, test } from "vitest";
import { createKeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";

test("what the App was not granted is asked of GitHub once, not with every question", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const ask = async () => broker.call(`${admin}?permissions=administration:write`, { as: "ops" });
  await ask();
  const asked = host.github.requests.length;

  const answers = await Promise.all(Array.from({ length: 49 }, ask));

  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([403]));
  expect(host.github.requests.length).toBe(asked);
});

test("a key that is not the App's is tried once for each repository, not with every question", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: 'repositories = ["acme/*"]' });
  host.github.refuse("jwt_undecodable", { times: 99 });
  const broker = await host.startBroker();
  const ask = async () => broker.call("/api/acme/site", { as: "ops" });
  expect(await ask()).toMatchObject({ status: 500 });
  const asked = host.github.requests.length;

  for (let n = 0; n < 20; n++) expect(await ask()).toMatchObject({ status: 500 });

  expect(host.github.requests.length).toBe(asked);
});

test("of 200 invented names at once 60 reach GitHub; then the client waits, and others and held tokens do not", async () => {
  await using host = await createKeyHost();
  host.letIn({ guesser: 'repositories = ["acme/*"]', other: 'repositories = ["acme/*"]' });
  const broker = await host.startBroker();
  const held = await broker.token("/api/acme/site", "guesser");
  const guess = async (_: unknown, n: number) => broker.call(`/api/acme/guess-${n}`, { as: "guesser" });

  const answers = await Promise.all(Array.from({ length: 200 }, guess));

  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  expect({ refused: count(400), limited: count(429) }).toEqual({ refused: 60, limited: 140 });
  const looked = host.github.requests.filter(({ path }) => path.startsWith("/repos/acme/guess-"));
  expect(looked).toHaveLength(60);
  const limited = answers.find(({ status }) => status === 429);
  expect(Number(limited?.headers["retry-after"])).toBeGreaterThan(30);
  expect(Number(limited?.headers["retry-after"])).toBeLessThanOrEqual(60);

  // What needs GitHub, and what would be refused again, is 429; what is held is served, and so is another client.
  expect(await broker.call("/api/acme/tools", { as: "guesser" })).toMatchObject({ status: 429 });
  expect(await broker.call("/api/umbrella/lab", { as: "guesser" })).toMatchObject({ status: 429 });
  expect(await broker.call(`${admin}?min_ttl=x`, { as: "guesser" })).toMatchObject({ status: 429 });
  expect(await broker.token("/api/acme/site", "guesser")).toBe(held);
  await broker.token("/api/acme/tools", "other");
});

test("names that are invented in the query are refused as such, and 60 of them reach GitHub", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const guess = async (_: unknown, n: number) =>
    broker.call(`${admin}?repositories=acme/site,acme/guess-${n}`, { as: "ops" });

  const answers = await Promise.all(Array.from({ length: 100 }, guess));

  const count = (wanted: number) => answers.filter(({ status }) => status === wanted).length;
  expect({ refused: count(403), limited: count(429) }).toEqual({ refused: 60, limited: 40 });
  expect(answers.map(({ text }) => text)).toContain(
    '{"error":"The App does not reach all repositories that are asked for."}',
  );
});

test("60 refusals by the policy are told, and no more in that minute", async () => {
  await using host = await createKeyHost();
  host.letIn({ agent: 'repositories = ["acme/site"]' });
  const broker = await host.startBroker();

  const statuses = [];
  for (let n = 0; n < 62; n++) statuses.push((await broker.call("/api/acme/tools", { as: "agent" })).status);

  expect(statuses).toEqual([...Array.from({ length: 60 }, () => 403), 429, 429]);
  expect(await broker.tokenLine()).toMatchObject({ client: "agent" });
});

test("500 cold questions at once for tokens that can be had are all answered", async () => {
  const repositories = Array.from({ length: 100 }, (_, n) => `r${n}`);
  await using host = await createKeyHost({
    installations: [
      { id: 987_654, appId: 123_456, account: { login: "acme", type: "Organization" }, repositories },
    ],
  });
  host.letIn({ ops: 'repositories = ["acme/*"]' });
  const broker = await host.startBroker();

  const asked = Array.from({ length: 500 }, async (_, n) => broker.token(`/api/acme/r${n % 100}`, "ops"));

  expect(new Set(await Promise.all(asked)).size).toBe(100);
  expect(host.github.mints).toBe(100);
});
