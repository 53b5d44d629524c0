import { once } from "node:events";
import { createServer } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { createKeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";
const canary = "hvs.canary0123456789abcdef";

/** A key host whose token command notes each run, says a secret of its own, and fails. */
async function createFailingSource() {
  const host = await createKeyHost();
  const command = `${host.root}/command`;
  host.write(
    command,
    `#!/bin/sh\necho >>'${host.root}/runs'\nsleep 0.2\necho 'vault: no token ${canary}' >&2\nexit 1\n`,
    0o755,
  );
  host.set({ GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: command });
  host.letIn({ ops: "admin = true" });
  return Object.assign(host, { runs: () => host.read(`${host.root}/runs`).length });
}

test("however many ask /readyz, the token source is run once in 10 s, and says nothing to them", async () => {
  await using host = await createFailingSource();
  const broker = await host.startBroker();
  const ask = async () => broker.call("/readyz");

  const answers = [...(await Promise.all(Array.from({ length: 100 }, ask))), await ask(), await ask()];

  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`))).toEqual(
    new Set(['503 {"status":"not ready","error":"the token source has no token now: ask again later"}']),
  );
  expect(host.runs()).toBe(1);
  await broker.saw("vault: no token");
  expect(broker.output().match(/vault: no token/g)).toHaveLength(1);
});

test("a client is not told what the token source said: the log is", async () => {
  await using host = await createKeyHost();
  const upstream = createServer((_, response) => {
    response.writeHead(503, { "content-type": "application/json", "retry-after": "60" });
    response.end(JSON.stringify({ error: `vault: no token ${canary}` }));
  }).listen(0, "127.0.0.1");
  onTestFinished(() => void upstream.close());
  await once(upstream, "listening");
  const address = upstream.address();
  host.write(`${host.root}/bearer`, "bearer-of-this-broker\n");
  host.set({
    GITHUB_TOKEN_SOURCE: "broker",
    GHAUTH_BROKER_URL: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
    GHAUTH_BROKER_TOKEN_FILE: `${host.root}/bearer`,
  });
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();

  const { status, text, headers } = await broker.call(admin, { as: "ops" });

  expect({ status, text, retryAfter: headers["retry-after"] }).toEqual({
    status: 503,
    text: '{"error":"the token source has no token now: ask again later"}',
    retryAfter: "60",
  });
  expect(await broker.tokenLine()).toMatchObject({
    code: "source_unavailable",
    sentence: expect.stringContaining("vault: no token"),
  });
});

test("300 questions of /readyz are one GET /app", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();

  for (let n = 0; n < 6; n++) {
    const answers = await Promise.all(Array.from({ length: 50 }, async () => broker.call("/readyz")));
    expect(new Set(answers.map(({ text }) => text))).toEqual(new Set(['{"status":"ready"}']));
  }

  expect(host.github.requests.map(({ path }) => path)).toEqual(["/app"]);
});

test("a refusal of GitHub's is told to /readyz in fixed words", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  host.github.refuse("integration_not_found", { path: "/app" });
  const broker = await host.startBroker();

  expect(await broker.call("/readyz")).toMatchObject({
    status: 503,
    text: '{"status":"not ready","error":"token refresh failed"}',
  });
  await broker.saw('"code":"app_unknown"');
});

test("tokman's health route says ok in its words and in ours", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();

  expect(await broker.call("/api/health")).toMatchObject({
    status: 200,
    text: '{"status":"ok","message":"ok"}',
  });
});
