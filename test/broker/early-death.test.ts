import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createKeyHost, type KeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";
const digitsOf = (token: string) => createHash("sha256").update(token).digest("hex").slice(0, 16);

/** How often GitHub was asked about this token. */
const trialsOf = ({ github }: KeyHost, token: string) =>
  github.requests.filter(
    ({ path, headers }) => path === "/rate_limit" && headers.authorization === `Bearer ${token}`,
  ).length;

async function createServingHost() {
  const host = await createKeyHost();
  host.letIn({ ops: "admin = true", agent: 'workspaces = ["blue"]\nrepositories = ["acme/site"]' });
  const broker = await host.startBroker();
  return Object.assign(host, { broker });
}

test.each([
  [admin, "ops"],
  ["/workspaces/blue/github-installation-token", "agent"],
  ["/api/acme/site", "agent"],
])("a token that was revoked is replaced once a client tells of it: %s", async (path, as) => {
  await using host = await createServingHost();
  const { broker, github } = host;
  const dead = await broker.token(path, as);
  const tried = trialsOf(host, dead);
  github.revoke(dead);
  expect(await broker.token(path, as)).toBe(dead); // nobody has told yet

  const asked = Array.from({ length: 20 }, async () => broker.token(`${path}?refused=${digitsOf(dead)}`, as));
  const tokens = new Set(await Promise.all(asked));

  expect([...tokens].map((token) => github.isLive(token))).toEqual([true]);
  expect(tokens).toEqual(new Set([await broker.token(path, as)]));
  expect(trialsOf(host, dead)).toBe(tried + 1);
  expect(github.mints).toBe(2);
  await broker.saw('"event":"token.dropped"');
});

test("a token that GitHub still knows stays, whatever a client says, and that is asked once in 10 s", async () => {
  await using host = await createServingHost();
  const { broker, github } = host;
  const token = await broker.token(admin, "ops");
  const tried = trialsOf(host, token);

  for (let n = 0; n < 5; n++)
    expect(await broker.token(`${admin}?refused=${digitsOf(token).toUpperCase()}`, "ops")).toBe(token);
  github.revoke(token);
  expect(await broker.token(`${admin}?refused=${digitsOf(token)}`, "ops")).toBe(token); // the verdict stands

  expect(trialsOf(host, token)).toBe(tried + 1);
  expect(github.mints).toBe(1);
});

test("a token stays while GitHub cannot be asked about it", async () => {
  await using host = await createServingHost();
  const { broker, github } = host;
  const token = await broker.token(admin, "ops");
  github.refuse("server_error", { times: 9 });

  expect(await broker.token(`${admin}?refused=${digitsOf(token)}`, "ops")).toBe(token);
});

test("telling of a token that is not held asks nobody", async () => {
  await using host = await createServingHost();
  const { broker, github } = host;
  const token = await broker.token(admin, "ops");
  const asked = github.requests.length;

  expect(await broker.token(`${admin}?refused=${digitsOf("another")}`, "ops")).toBe(token);

  expect(github.requests.length).toBe(asked);
});

test("a malformed refused is 400 on every route", async () => {
  await using host = await createServingHost();
  const digits = "0123456789abcdef";
  const queries = [
    "refused=",
    "refused=0123456789abcde",
    "refused=0123456789abcdef0",
    "refused=0123456789abcdeg",
    `refused=${digits}&refused=${digits}`,
  ];

  for (const path of [admin, "/api/acme/site"]) {
    for (const query of queries) {
      const { status, json } = await host.broker.call(`${path}?${query}`, { as: "ops" });
      expect({ query, status, json }).toEqual({
        query,
        status: 400,
        json: { error: expect.stringContaining("refused") },
      });
    }
  }
  expect(host.github.mints).toBe(0);
});
