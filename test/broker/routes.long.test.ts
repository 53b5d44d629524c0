import { expect, test } from "vitest";
import { bearerOf, type BrokerCall, createKeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";
const acme = 'admin = true\nrepositories = ["acme/*"]';

const clients = {
  ops: "admin = true",
  agent: 'workspaces = ["blue"]\nrepositories = ["acme/site"]',
};

test("an admin gets a token of the whole installation, once minted for all who ask", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();

  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => broker.call(admin, { as: "ops" })),
  );

  const [first] = answers;
  expect(first?.text).toMatch(/^\{"token":"ghs_[^"]+","expires_at":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"\}$/);
  expect(first?.headers).toMatchObject({ "content-type": "application/json", "cache-control": "no-store" });
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
    new Set([`200 ${first?.text}`]),
  );
  expect(host.github.mints).toBe(1);
  expect(host.github.requests.find(({ method }) => method === "POST")?.body).toBe("{}");
});

test("a workspace gets what its policy names, and tokman's route one repository", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();

  const workspace = await broker.call("/workspaces/blue/github-installation-token", { as: "agent" });
  const tokman = await broker.call("/api/acme/site", { as: "agent" });

  expect(workspace.json).toEqual({ token: expect.stringMatching(/^ghs_/), expires_at: expect.any(String) });
  expect(tokman.text).toMatch(
    /^\{"namespace":"acme","repository":"site","access_token":"ghs_[^"]+","expires_at":"[^"]+Z"\}$/,
  );
  expect(host.github.mints).toBe(1);
  expect(host.github.requests.find(({ method }) => method === "POST")?.body).toBe(
    '{"repositories":["site"]}',
  );
});

test("no, a malformed and an unknown bearer token get the same 401", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();
  const calls: BrokerCall[] = [
    {},
    { as: "nobody" },
    { headers: { authorization: "Bearer" } },
    { headers: { authorization: "Bearer " } },
    { headers: { authorization: bearerOf("ops") } },
    { headers: { authorization: `Basic ${bearerOf("ops")}` } },
    { headers: { authorization: `Bearer ${bearerOf("ops")} x` } },
    { headers: { authorization: `Bearer ${"x".repeat(3000)}` } },
  ];

  for (const path of [admin, "/workspaces/blue/github-installation-token?min_ttl=x", "/api/acme/nope"]) {
    for (const call of calls) {
      const { status, text, headers } = await broker.call(path, call);
      expect({ status, text, challenge: headers["www-authenticate"] }).toEqual({
        status: 401,
        text: '{"error":"unknown bearer token"}',
        challenge: "Bearer",
      });
    }
  }
  expect(host.github.requests).toEqual([]);
});

test("other methods get 405 with Allow, other paths 404", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();

  for (const method of ["POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"]) {
    for (const path of [admin, "/workspaces/blue/github-installation-token", "/api/acme/site"]) {
      const { status, headers } = await broker.call(path, { as: "ops", method });
      expect({ method, path, status, allow: headers["allow"] }).toEqual({
        method,
        path,
        status: 405,
        allow: "GET",
      });
    }
  }
  const { status, headers } = await broker.call("/healthz", { method: "POST", body: "{}" });
  expect({ status, allow: headers["allow"] }).toEqual({ status: 405, allow: "GET, HEAD" });
  expect(await broker.call("/", { as: "ops" })).toMatchObject({ status: 404, text: '{"error":"not found"}' });
  expect(host.github.mints).toBe(0);
});

test("health needs no bearer token; readiness asks GitHub once while the cache is empty", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();

  for (const path of ["/api/health", "/healthz", "/readyz", "/metrics"])
    for (const method of ["GET", "HEAD"])
      expect(await broker.call(path, { method })).toMatchObject({ status: 200 });

  expect(new Set(host.github.requests.map(({ path }) => path))).toEqual(new Set(["/app"]));
  await broker.token(admin, "ops");
  const asked = host.github.requests.length;
  expect(await broker.call("/readyz")).toMatchObject({ status: 200, json: { status: "ready" } });
  expect(host.github.requests.length).toBe(asked);
});

test.each([
  [{ GITHUB_APP_ID: undefined }, "no GitHub App configured"],
  [{ GITHUB_APP_PRIVATE_KEY_PATH: "/nowhere/key.pem" }, "no token provider registered"],
])("a host with %j says 404: %s", async (settings, error) => {
  await using host = await createKeyHost();
  host.set(settings);
  host.letIn(clients);
  const broker = await host.startBroker();

  expect(await broker.call(admin, { as: "ops" })).toMatchObject({ status: 404, json: { error } });
  expect(await broker.call("/readyz")).toMatchObject({ status: 503 });
  expect(await broker.call("/healthz")).toMatchObject({ status: 200 });
  expect(await broker.call(admin)).toMatchObject({ status: 401 });
});

test("settings that only the refresh script uses do not stop a broker", async () => {
  await using host = await createKeyHost();
  host.letIn({ admin: "admin = true" });
  host.set({ GH_AUTH: "maybe" });
  const broker = await host.startBroker();

  expect(await broker.token("/admin/github-installation-token", "admin")).toMatch(/^ghs_/);
});

test("a refusal that a person must act on is 500, and the log says what it is", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  host.github.refuse("jwt_undecodable", { times: 9 });
  const broker = await host.startBroker();

  const { status, text } = await broker.call(admin, { as: "ops" });

  expect({ status, text }).toEqual({ status: 500, text: '{"error":"token refresh failed"}' });
  expect(await broker.tokenLine()).toMatchObject({
    client: "ops",
    route: "admin",
    status: 500,
    code: "key_mismatch",
    sentence: expect.stringContaining("the private key is not App"),
  });
});

test("a rate limit is 503 with GitHub's wait, and GitHub is left alone meanwhile", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  host.github.refuse("rate_limited", { retryAfterSeconds: 90 });
  const broker = await host.startBroker();

  const first = await broker.call(admin, { as: "ops" });
  const second = await broker.call(admin, { as: "ops" });

  expect(first).toMatchObject({ status: 503, json: { error: expect.stringContaining("limits our rate") } });
  expect(Number(first.headers["retry-after"])).toBeGreaterThan(80);
  expect(second.status).toBe(503);
  expect(Number(second.headers["retry-after"])).toBeGreaterThan(80);
  expect(host.github.requests).toHaveLength(1);
});

test("GitHub that gives no answer is 503 within the deadline; what passes is tried again", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker([], { GHAUTH_REFRESH_DEADLINE_SECONDS: "3" });
  const release = host.github.hold();

  const { status, headers } = await broker.call(admin, { as: "ops" });

  expect({ status, retryAfter: headers["retry-after"] }).toEqual({ status: 503, retryAfter: "5" });
  release();
  host.github.refuse("server_error");
  expect(await broker.call(admin, { as: "ops" })).toMatchObject({ status: 200 });
});

test("an App that is not installed is tokman's 400, remembered for a while", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: 'repositories = ["acme/*", "nobody/*"]' });
  const broker = await host.startBroker();
  const error = (name: string) => ({ error: `Failed to retrieve a token: App is not installed on ${name}` });

  expect(await broker.call("/api/nobody/site", { as: "ops" })).toMatchObject({
    status: 400,
    json: error("nobody/site"),
  });
  expect(await broker.call("/api/acme/gone", { as: "ops" })).toMatchObject({
    status: 400,
    json: error("acme/gone"),
  });
  const asked = host.github.requests.length;
  expect(await broker.call("/api/nobody/site", { as: "ops" })).toMatchObject({ status: 400 });
  expect(await broker.call("/api/Acme/Gone", { as: "ops" })).toMatchObject({ status: 400 });
  expect(host.github.requests.length).toBe(asked);
});

test("/metrics counts mints, hits and errors by code, and tells each scope's seconds to expiry", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();
  for (let n = 0; n < 3; n++) await broker.token(admin, "ops");
  await broker.token("/api/acme/site", "agent");
  await broker.call("/api/acme/else", { as: "agent" });
  await broker.call("/api/acme/nowhere", { as: "ops" });

  const { text, headers } = await broker.call("/metrics");

  expect(headers["content-type"]).toMatch(/^text\/plain; version=0\.0\.4/);
  const value = (series: string) =>
    text
      .split("\n")
      .find((line) => line.startsWith(`${series} `))
      ?.split(" ")[1];
  expect({
    mints: value("ghauth_broker_mints_total"),
    hits: value("ghauth_broker_cache_hits_total"),
    minted: value('ghauth_broker_tokens_served_total{from="mint"}'),
    refused: value('ghauth_broker_errors_total{code="repository_inaccessible"}'),
    answers: value('ghauth_broker_request_duration_seconds_count{route="admin",status="200"}'),
    denied: value('ghauth_broker_request_duration_seconds_count{route="repository",status="403"}'),
  }).toEqual({ mints: "2", hits: "2", minted: "2", refused: "1", answers: "3", denied: "1" });
  const expiries = [...text.matchAll(/^ghauth_broker_token_expiry_seconds\{scope="[0-9a-f]{8}"\} (\d+)$/gm)];
  expect(expiries.map(([, seconds]) => Number(seconds) > 3500 && Number(seconds) <= 3600)).toEqual([
    true,
    true,
  ]);
  expect(text).not.toMatch(/acme|site|agent/);
});

test("a source that hangs costs nobody the token that still lives", async () => {
  await using host = await createKeyHost();
  await host.refresh();
  const token = host.heldToken();
  const answer = JSON.stringify({ token, expires_at: new Date(Date.now() + 1_200_000).toISOString() });
  const command = `${host.root}/command`;
  host.write(
    command,
    `#!/bin/sh\n[ -e '${host.root}/asked' ] && exec sleep 60\n: >'${host.root}/asked'\necho '${answer}'\n`,
    0o755,
  );
  host.set({ GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: command });
  host.letIn(clients);
  const broker = await host.startBroker([], { GHAUTH_REFRESH_DEADLINE_SECONDS: "3" });

  expect(await broker.token(admin, "ops")).toBe(token);
  expect(await broker.token(`${admin}?min_ttl=3000`, "ops")).toBe(token);
});

test("what the App was not granted is 403 to who asked for it", async () => {
  await using host = await createKeyHost();
  host.letIn(clients);
  const broker = await host.startBroker();

  expect(await broker.call(`${admin}?permissions=administration:write`, { as: "ops" })).toMatchObject({
    status: 403,
    json: { error: "The App was not granted the permissions that are asked for." },
  });
  expect(host.github.mints).toBe(0);
});

test("garbage in a query is 400, and nothing is minted", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: acme });
  const broker = await host.startBroker();
  const queries = [
    "min_ttl=",
    "min_ttl=-1",
    "min_ttl=1.5",
    "min_ttl=3301",
    "min_ttl=99999",
    "min_ttl=1&min_ttl=2",
    "permissions=",
    "permissions=,",
    "permissions=%20",
    "permissions=+,+",
    "permissions=contents",
    "permissions=contents:own",
    "permissions=pull-requests:read",
    "repositories=",
    "repositories=site",
    "repositories=acme/*",
    "repositories=acme/site,",
    "repositories=acme/..",
    "repositories=acme/site,umbrella/lab",
    `repositories=${Array.from({ length: 501 }, (_, n) => `acme/r${n}`).join(",")}`,
    "repository=acme/site",
  ];

  for (const query of queries) {
    const { status, json } = await broker.call(`${admin}?${query}`, { as: "ops" });
    expect({ query: query.slice(0, 40), status, json }).toEqual({
      query: query.slice(0, 40),
      status: 400,
      json: { error: expect.any(String) },
    });
  }
  expect(await broker.call("/api/acme/site?repositories=acme/tools", { as: "ops" })).toMatchObject({
    status: 400,
  });
  expect(host.github.mints).toBe(0);
  expect(await broker.call(`${admin}?min_ttl=3300`, { as: "ops" })).toMatchObject({ status: 200 });
});
