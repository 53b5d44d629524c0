import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createHttpClient } from "../../src/github/http-client.js";
import { createBrokerSource } from "../../src/source/broker-source.js";
import { systemClock } from "../../src/system/clock.js";
import { Secret } from "../../src/token/secret.js";
import { createVirtualClock, refreshInProcess } from "../support/in-process.js";
import { createMachine, type Machine } from "../support/machine.js";

const bearer = "broker-bearer-0123456789abcdef";

/** A machine without a private key, with a broker that answers as `answer` does; `asked` lists what came in. */
async function createBrokerMachine(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const machine = await createMachine();
  const token = await mintElsewhere(machine);
  rmSync(machine.paths.privateKey);
  const asked: { url: string | undefined; authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    asked.push({ url: request.url, authorization: request.headers.authorization });
    answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const bearerFile = join(machine.root, "bearer");
  machine.write(bearerFile, `${bearer}\n`);
  const close = machine[Symbol.asyncDispose];
  return {
    ...machine,
    asked,
    token,
    env: {
      ...machine.env,
      GITHUB_TOKEN_SOURCE: "broker",
      GHAUTH_BROKER_URL: `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`,
      GHAUTH_BROKER_TOKEN_FILE: bearerFile,
    },
    [Symbol.asyncDispose]: async () => {
      server.close();
      server.closeAllConnections();
      await close();
    },
  };
}

/** A live token of the stand-in's, as a broker or a secret manager would hold it. */
async function mintElsewhere(machine: Machine): Promise<string> {
  await refreshInProcess(machine);
  const token = machine.heldToken();
  rmSync(machine.paths.tokenEnvFile);
  return token;
}

type Answer = { status: number; body: unknown; headers?: Record<string, string> };

function send(response: ServerResponse, { status, body, headers = {} }: Answer): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(typeof body === "string" ? body : JSON.stringify(body));
}

const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
const epochIn = (text: string) => Number(/EXPIRES_EPOCH=(\d+)/.exec(text)?.[1]);

test("a broker's token is published, and no private key is needed", async () => {
  await using machine = await createBrokerMachine((_, response) =>
    send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } }),
  );

  const { exitCode, stderr } = await machine.refresh({ env: machine.env });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(machine.heldToken()).toBe(machine.token);
  expect(machine.asked).toEqual([
    { url: "/admin/github-installation-token?min_ttl=3000", authorization: `Bearer ${bearer}` },
  ]);
});

test("a workspace asks its own route, below the broker's base URL", async () => {
  await using machine = await createBrokerMachine((_, response) =>
    send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } }),
  );
  const env = {
    ...machine.env,
    GHAUTH_BROKER_URL: `${machine.env.GHAUTH_BROKER_URL}/tokens/`,
    GHAUTH_BROKER_WORKSPACE: "team a/b",
  };

  expect(await refreshInProcess(machine, { env })).toMatchObject({ ok: true });
  expect(machine.asked[0]?.url).toBe(
    "/tokens/workspaces/team%20a%2Fb/github-installation-token?min_ttl=3000",
  );
});

test("what the settings scope the token to is asked for", async () => {
  await using machine = await createBrokerMachine((_, response) =>
    send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } }),
  );
  const env = {
    ...machine.env,
    GITHUB_APP_REPOSITORIES: "acme/site https://github.com/acme/tools.git",
    GITHUB_APP_PERMISSIONS: "contents:read,issues:write",
  };

  expect(await refreshInProcess(machine, { env })).toMatchObject({ ok: true });
  const query = new URL(machine.asked[0]?.url ?? "", "http://broker").searchParams;
  expect(Object.fromEntries(query)).toEqual({
    min_ttl: "3000",
    repositories: "acme/site,acme/tools",
    permissions: "contents:read,issues:write",
  });
});

test("repositories without an owner are no question to a broker", async () => {
  await using machine = await createBrokerMachine((_, response) => send(response, { status: 200, body: {} }));
  const report = await refreshInProcess(machine, {
    env: { ...machine.env, GITHUB_APP_REPOSITORIES: "site" },
  });

  expect(report).toMatchObject({ code: "config_invalid", exit: 78 });
  expect(report.sentence).toMatch(
    /GITHUB_APP_REPOSITORIES must name owner\/repo where the token comes from a broker/,
  );
  expect(machine.asked).toEqual([]);
});

test("a broker's expiry is put on this host's clock by the answer's Date", async () => {
  await using machine = await createBrokerMachine((_, response) => {
    const date = new Date(Date.now() + 7_200_000);
    send(response, {
      status: 200,
      body: { token: machine.token, expires_at: new Date(date.getTime() + 3_000_000).toISOString() },
      headers: { date: date.toUTCString() },
    });
  });

  const report = await refreshInProcess(machine, { env: machine.env });

  expect(report).toMatchObject({
    ok: true,
    sentence: expect.stringMatching(/behind the broker's: set the one/),
  });
  const leftSeconds = epochIn(machine.read(machine.paths.tokenEnvFile)) - Date.now() / 1000;
  expect(leftSeconds).toBeGreaterThan(2990);
  expect(leftSeconds).toBeLessThan(3002);
});

test.for([
  {
    status: 401,
    body: { error: "unauthorized" },
    code: "source_refused",
    exit: 78,
    says: /bearer token: add the client there again.* \(unauthorized\)/,
  },
  {
    status: 403,
    body: { error: "denied" },
    code: "source_refused",
    exit: 78,
    says: /widen the client's policy/,
  },
  {
    status: 404,
    body: { error: "no GitHub App configured" },
    code: "source_refused",
    exit: 78,
    says: /has no GitHub App configured, or GHAUTH_BROKER_URL is not its base URL/,
  },
  {
    status: 500,
    body: { error: "token refresh failed" },
    code: "source_unavailable",
    exit: 75,
    says: /HTTP 500 \(token refresh failed\)/,
  },
  { status: 502, body: "<html>", code: "source_unavailable", exit: 75, says: /no token now: HTTP 502\./ },
  { status: 200, body: "{}", code: "source_unavailable", exit: 75, says: /answered without a token/ },
  {
    status: 200,
    body: { token: "two words" },
    code: "source_unavailable",
    exit: 75,
    says: /without a token/,
  },
  {
    status: 200,
    body: { token: "ghs_0123456789", expires_at: "soon" },
    code: "source_unavailable",
    exit: 75,
    says: /without a token/,
  },
] as const)("a broker that answers $status $body.error ends with $exit", async (row) => {
  await using machine = await createBrokerMachine((_, response) => send(response, row));

  const report = await refreshInProcess(machine, { env: machine.env });

  expect(report).toMatchObject({ ok: false, code: row.code, exit: row.exit });
  expect(report.sentence).toMatch(row.says);
});

test("a broker's Retry-After is obeyed", async () => {
  let isDown = true;
  await using machine = await createBrokerMachine((_, response) => {
    if (isDown) send(response, { status: 503, body: { error: "busy" }, headers: { "retry-after": "7" } });
    else send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } });
    isDown = false;
  });
  const clock = createVirtualClock();

  expect(await refreshInProcess(machine, { env: machine.env, clock, random: () => 0 })).toMatchObject({
    ok: true,
  });
  expect(clock.slept).toEqual([7000]);
});

test("a broker is told which token GitHub refused; an older one, which does not know how, is asked again without", async () => {
  const unknown = { error: "this route knows no refused, only min_ttl, permissions, repositories." };
  let isOld = false;
  await using machine = await createBrokerMachine(({ url = "" }, response) => {
    if (isOld && url.includes("refused=")) send(response, { status: 400, body: unknown });
    else send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } });
  });
  const http = createHttpClient({ timeLeftMs: () => 5000, extraCaFile: null });
  const source = createBrokerSource(
    { http: http.request, clock: systemClock },
    {
      type: "broker",
      url: new URL(machine.env.GHAUTH_BROKER_URL),
      bearerFile: machine.env.GHAUTH_BROKER_TOKEN_FILE,
      workspace: null,
      scope: { owner: null, repositories: [], permissions: {} },
      names: {},
    },
  );
  const told = "/admin/github-installation-token?min_ttl=3000&refused=0e81bb032a32d4cb";
  const refused = new Secret("ghs_0123456789abcdefghij");
  try {
    for (isOld of [false, true]) expect((await source.obtain(refused)).secret.reveal()).toBe(machine.token);
  } finally {
    http.close();
  }
  expect(machine.asked.map(({ url }) => url)).toEqual([
    told,
    told,
    "/admin/github-installation-token?min_ttl=3000",
  ]);
});

test("a broker that is away is named, and is not GitHub", async () => {
  await using machine = await createMachine();
  machine.write(join(machine.root, "bearer"), bearer);
  const env = {
    GITHUB_TOKEN_SOURCE: "broker",
    GHAUTH_BROKER_URL: "http://127.0.0.1:9",
    GHAUTH_BROKER_TOKEN_FILE: join(machine.root, "bearer"),
  };

  expect(await refreshInProcess(machine, { env })).toMatchObject({
    code: "source_unavailable",
    exit: 75,
    sentence: expect.stringContaining("The broker has no answer: 127.0.0.1:9 cannot be reached"),
  });
});

test.for([
  { what: "missing", bearerText: null, says: /GHAUTH_BROKER_TOKEN_FILE .* cannot be read/ },
  { what: "empty", bearerText: "\n", says: /must hold one bearer token and nothing else/ },
  { what: "two words", bearerText: "one two", says: /must hold one bearer token and nothing else/ },
])("a bearer file that is $what is told", async ({ bearerText, says }) => {
  await using machine = await createMachine();
  const file = join(machine.root, "bearer");
  if (bearerText !== null) machine.write(file, bearerText);
  const env = {
    GITHUB_TOKEN_SOURCE: "broker",
    GHAUTH_BROKER_URL: "http://127.0.0.1:9",
    GHAUTH_BROKER_TOKEN_FILE: file,
  };

  const report = await refreshInProcess(machine, { env });

  expect(report).toMatchObject({ code: "config_invalid", exit: 78 });
  expect(report.sentence).toMatch(says);
});

test.for([
  { where: "on a disk", mode: 0o600, exit: 0 },
  { where: "on a disk", mode: 0o640, exit: 78 },
  { where: "on a disk", mode: 0o604, exit: 78 },
  { where: "on a disk", mode: 0o620, exit: 78 },
  { where: "in memory", mode: 0o640, exit: 0 },
  { where: "in memory", mode: 0o644, exit: 0 },
  { where: "in memory", mode: 0o664, exit: 78 },
  { where: "in memory", mode: 0o646, exit: 78 },
] as const)("a bearer file of mode $mode $where ends with $exit", async ({ where, mode, exit }) => {
  await using machine = await createBrokerMachine((_, response) =>
    send(response, { status: 200, body: { token: machine.token, expires_at: inAnHour() } }),
  );
  const directory = mkdtempSync(join(where === "in memory" ? "/dev/shm" : machine.root, "bearer-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "bearer");
  machine.write(file, bearer, mode);

  const run = await machine.refresh({ env: { ...machine.env, GHAUTH_BROKER_TOKEN_FILE: file } });

  expect({ exitCode: run.exitCode, stderr: run.stderr }).toEqual({
    exitCode: exit,
    stderr: expect.stringMatching(
      {
        0: /^$/,
        78: /^GHAUTH_BROKER_TOKEN_FILE \S+ can be read or written by others \(mode 06\d\d\): run chmod 600 /,
      }[exit],
    ),
  });
});

test("secrets in a broker's error body are not repeated", async () => {
  await using machine = await createBrokerMachine((_, response) =>
    send(response, {
      status: 403,
      body: { error: `client ${bearer} may not have ${machine.token}\n${machine.pem}` },
    }),
  );

  const { exitCode, stderr } = await machine.refresh({ env: machine.env });

  expect(exitCode).toBe(78);
  expect(stderr).not.toContain(bearer.slice(0, 12));
  expect(stderr).toContain("client [redacted] may not have [redacted]");
  expect(stderr.trim().split("\n")).toHaveLength(1);
});

/** A machine whose token comes from a script of this text. */
async function createCommandMachine(script: (token: string) => string) {
  const machine = await createMachine();
  const token = await mintElsewhere(machine);
  rmSync(machine.paths.privateKey);
  const program = join(machine.home, "token command");
  machine.write(program, `#!/bin/sh\n${script(token)}\n`);
  chmodSync(program, 0o755);
  return Object.assign(machine, {
    token,
    commandEnv: {
      GITHUB_TOKEN_SOURCE: "command",
      GITHUB_TOKEN_COMMAND: `'${program}' 'two words' "$HOME" ;`,
    },
  });
}

test("a command's bare token is published; its words reach it as they are, without a shell", async () => {
  await using machine = await createCommandMachine(
    (token) => `printf '%s\\n' "$@" >"$HOME/arguments"; echo " ${token} "`,
  );

  const { exitCode, stdout, stderr } = await machine.refresh({ env: machine.commandEnv });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toContain("of unknown expiry");
  expect(machine.heldToken()).toBe(machine.token);
  expect(machine.read(machine.paths.tokenEnvFile)).not.toContain("EXPIRES");
  expect(machine.read(join(machine.home, "arguments"))).toBe("two words\n$HOME\n;\n");
});

test("a command's JSON brings the expiry along", async () => {
  await using machine = await createCommandMachine(
    (token) => `echo '{"token":"${token}","expires_at":"2099-01-01T00:00:00Z","more":1}'`,
  );

  expect(await refreshInProcess(machine, { env: machine.commandEnv })).toMatchObject({ ok: true });
  expect(machine.read(machine.paths.tokenEnvFile)).toContain("GITHUB_TOKEN_EXPIRES_AT=2099-01-01T00:00:00Z");
});

test.for([
  {
    what: "fails",
    script: "echo first >&2; echo 'permission denied' >&2; exit 3",
    says: /ended with 3: permission denied\./,
  },
  { what: "prints nothing", script: "true", says: /printed neither a token nor/ },
  { what: "prints a page", script: "echo '<html> an error </html>'", says: /printed neither a token nor/ },
  { what: "prints broken JSON", script: `echo '{"token":"ghs_01234'`, says: /printed neither a token nor/ },
  {
    what: "prints a dead token",
    script: "echo ghs_0123456789abcdefghij",
    says: /The new token does not work/,
  },
  { what: "is killed", script: "kill -TERM $$", says: /was ended by SIGTERM/ },
])("a command that $what is tried again, then ends with 75", async ({ script, says }) => {
  await using machine = await createCommandMachine(() => `echo >>"$HOME/runs"; ${script}`);
  const env = { ...machine.commandEnv, GHAUTH_REFRESH_DEADLINE_SECONDS: "2" };

  const report = await refreshInProcess(machine, { env });

  expect(report).toMatchObject({ ok: false, exit: 75 });
  expect(report.sentence).toMatch(says);
  // A dead token is tried again, not asked for again.
  const runs = machine.read(join(machine.home, "runs")).length;
  expect(runs).toBe(report.code === "token_refused" ? 1 : 4);
});

test("a command that hangs is ended at the deadline", async () => {
  await using machine = await createCommandMachine(() => "sleep 60");
  const env = { ...machine.commandEnv, GHAUTH_REFRESH_DEADLINE_SECONDS: "0.7" };

  expect(await refreshInProcess(machine, { env })).toMatchObject({
    exit: 75,
    sentence: expect.stringMatching(/was ended after 0\.\d s without an answer\./),
  });
});

test("a command that is not there waits for a person", async () => {
  await using machine = await createMachine();
  const env = { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "/nonexistent/vault read" };

  expect(await refreshInProcess(machine, { env })).toMatchObject({
    code: "source_refused",
    exit: 78,
    sentence: expect.stringContaining("GITHUB_TOKEN_COMMAND /nonexistent/vault cannot be run"),
  });
});

test("secrets that a command prints to stderr are not repeated", async () => {
  await using machine = await createCommandMachine((token) => `echo "cannot use ${token}" >&2; exit 1`);
  const env = { ...machine.commandEnv, GHAUTH_REFRESH_DEADLINE_SECONDS: "3" };

  const { exitCode, stderr } = await machine.refresh({ env });

  expect({ exitCode, stderr }).toEqual({
    exitCode: 75,
    stderr: expect.stringContaining("cannot use [redacted]"),
  });
});
