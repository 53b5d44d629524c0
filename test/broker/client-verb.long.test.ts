import { createHash } from "node:crypto";
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { parseClients } from "../../src/broker/clients-file.js";
import { bearerOf, createKeyHost } from "../support/broker.js";
import { startProgram } from "../support/live-program.js";
import { createMachine } from "../support/machine.js";

const admin = "/admin/github-installation-token";
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
const namesIn = (text: string) => (parseClients(text, "broker.toml") ?? []).map(({ name }) => name).sort();
const refused = (exitCode: number, sentence: string) => ({
  exitCode,
  stdout: "",
  stderr: expect.stringContaining(sentence),
});

test("client add prints a bearer token alone on its line, once, and writes only its hash", async () => {
  await using host = await createKeyHost();
  const policy = [
    "--admin",
    "--workspace",
    "blue",
    "--repository",
    "acme/*",
    "--permission",
    "contents:read",
  ];

  const { exitCode, stdout } = await host.ghauth(["broker", "client", "add", "ops", ...policy]);

  const [bearer = "", ...rest] = stdout.split("\n");
  expect({ exitCode, rest }).toEqual({ exitCode: 0, rest: [""] });
  expect(bearer).toMatch(/^ghauthb_[A-Za-z0-9_-]{43}$/);
  expect(statSync(host.brokerConfig).mode & 0o777).toBe(0o600);
  expect(host.read(host.brokerConfig)).toBe(
    [
      "[clients.ops]",
      'repositories = ["acme/*"]',
      'workspaces = ["blue"]',
      'permissions = { contents = "read" }',
      "admin = true",
      `token_sha256 = "${hashOf(bearer)}"`,
      "",
    ].join("\n"),
  );
  const broker = await host.startBroker();
  const headers = { authorization: `Bearer ${bearer}` };
  expect(await broker.call("/workspaces/blue/github-installation-token", { headers })).toMatchObject({
    status: 200,
  });
});

test("an existing name is an error without change, and what stands in the file stays", async () => {
  await using host = await createKeyHost();
  const before = `# the operations team\n[clients.ops]\ntoken_sha256 = "${hashOf("x")}"`;
  host.write(host.brokerConfig, before);

  expect(await host.ghauth(["broker", "client", "add", "ops"])).toMatchObject(
    refused(78, "has a client ops already"),
  );
  expect(host.read(host.brokerConfig)).toBe(before);
  expect(await host.ghauth(["broker", "client", "add", "agent"])).toMatchObject({ exitCode: 0 });

  const after = host.read(host.brokerConfig);
  expect(after.startsWith(`${before}\n\n[clients.agent]\ntoken_sha256 = "`)).toBe(true);
});

test("clients that are added at the same time are all let in", async () => {
  await using host = await createKeyHost();
  const names = Array.from({ length: 8 }, (_, n) => `host-${n}`);

  await Promise.all(
    names.map(async (name) => host.ghauth(["broker", "client", "add", name, "--config", "x.toml"])),
  );

  const path = join(host.home, "x.toml");
  expect(namesIn(host.read(path))).toEqual(names);
});

test("without flock they are all let in too, even in spite of a killed one's lock", async () => {
  await using host = await createKeyHost();
  const names = Array.from({ length: 8 }, (_, n) => `host-${n}`);
  host.write(`${host.brokerConfig}.lock`, "");
  const env = { PATH: "/nowhere" };

  await Promise.all(names.map(async (name) => host.ghauth(["broker", "client", "add", name], { env })));

  expect(namesIn(host.read(host.brokerConfig))).toEqual(names);
  expect(readdirSync(dirname(host.brokerConfig)).filter((name) => name.startsWith("broker"))).toEqual([
    "broker.toml",
  ]);
});

test("somebody who holds the lock for long is named, and nothing is changed", async () => {
  await using host = await createKeyHost();
  const lockFile = join(host.home, ".local/state/takopi/broker-clients.lock");
  host.write(lockFile, "");
  await using holder = startProgram(["flock", lockFile, "sh", "-c", "echo held; exec sleep 600"], {
    env: { PATH: process.env["PATH"] ?? "" },
    cwd: host.root,
  });
  await holder.saw("held");

  const result = await host.ghauth(["broker", "client", "add", "ops"]);

  expect(result).toMatchObject(
    refused(
      75,
      `Another ghauth broker client has held ${lockFile} for 10 s, and ${host.brokerConfig} is as it was`,
    ),
  );
  expect(existsSync(host.brokerConfig)).toBe(false);
});

test("wrong usage changes nothing", async () => {
  await using machine = await createMachine();
  const rows: [string[], string][] = [
    [[], "ghauth broker client: a verb is missing"],
    [["delete", "ops"], "ghauth broker client: unknown command 'delete'"],
    [["add"], "ghauth broker client add: missing required argument 'NAME'"],
    [["add", "ops", "dev"], "ghauth broker client add: too many arguments for 'add'."],
    [["list", "ops"], "ghauth broker client list: too many arguments for 'list'."],
    [["remove"], "ghauth broker client remove: missing required argument 'NAME'"],
    [["rotate"], "ghauth broker client rotate: missing required argument 'NAME'"],
    [["rotate", "ops", "--admin"], "--admin"],
    [["add", "a b"], "NAME takes letters"],
    [["add", "ops", "--repository", "acme"], "--repository takes owner/repo or owner/*"],
    [["add", "ops", "--permission", "contents"], "--permission"],
    [["add", "ops", "--permission", ","], "--permission"],
    [["add", "ops", "--permission", "contents:read", "--permission", ""], "--permission takes name:level"],
    [["add", "ops", "--root"], "--root"],
  ];
  for (const [args, sentence] of rows)
    expect(await machine.ghauth(["broker", "client", ...args])).toMatchObject(refused(64, sentence));
  expect(existsSync(join(machine.home, ".config/takopi/broker.toml"))).toBe(false);
});

const policies = {
  ops: "admin = true",
  "build-1":
    'workspaces = ["build"]\nrepositories = ["acme/*", "acme/site"]\npermissions = { contents = "write" }',
  idle: "",
};

test("list shows names and policies, and of a hash no more than the log does", async () => {
  await using host = await createKeyHost();
  host.letIn(policies);
  const fingerprint = (name: string) => hashOf(bearerOf(name)).slice(0, 8);

  const { exitCode, stdout, stderr } = await host.ghauth(["broker", "client", "list"]);

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout).toBe(
    [
      `ops      admin; workspaces: none; repositories: the App's; permissions: the App's; sha256: ${fingerprint("ops")}`,
      `build-1  workspaces: build; repositories: acme/*, acme/site; permissions: contents:write; sha256: ${fingerprint("build-1")}`,
      `idle     workspaces: none; repositories: none; permissions: the App's; sha256: ${fingerprint("idle")}`,
      "",
    ].join("\n"),
  );
});

test("list of no clients says so, and is no error", async () => {
  await using machine = await createMachine();
  expect(await machine.ghauth(["broker", "client", "list", "--config", "x.toml"])).toMatchObject({
    exitCode: 0,
    stdout: "",
    stderr: expect.stringMatching(/^There are no clients in .+x\.toml\.\n$/),
  });
});

test("rotate prints another bearer token alone on its line; the old one is refused from then on", async () => {
  await using host = await createKeyHost();
  host.letIn(policies);
  host.write(host.brokerConfig, `# kept\n${host.read(host.brokerConfig)}# kept too\n`);
  const broker = await host.startBroker();
  const before = host.read(host.brokerConfig);

  const { exitCode, stdout, stderr } = await host.ghauth(["broker", "client", "rotate", "ops"]);

  const [bearer = "", ...rest] = stdout.split("\n");
  expect({ exitCode, rest }).toEqual({ exitCode: 0, rest: [""] });
  expect(bearer).toMatch(/^ghauthb_[A-Za-z0-9_-]{43}$/);
  expect(stderr).toContain("Client ops has a new bearer token");
  expect(host.read(host.brokerConfig)).toBe(before.replace(hashOf(bearerOf("ops")), hashOf(bearer)));
  expect(statSync(host.brokerConfig).mode & 0o777).toBe(0o600);
  broker.send("SIGHUP");
  await broker.saw('"clients.reloaded"');
  expect((await broker.call(admin, { as: "ops" })).status).toBe(401);
  expect((await broker.call(admin, { headers: { authorization: `Bearer ${bearer}` } })).status).toBe(200);
});

test("who is removed is refused once the broker has read the file, the last one too", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true", other: "admin = true" });
  const broker = await host.startBroker();

  for (const [name, left] of [
    ["ops", ["other"]],
    ["other", []],
  ] as const) {
    const { exitCode, stdout, stderr } = await host.ghauth(["broker", "client", "remove", name]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: "" });
    expect(stderr).toContain(`Client ${name} is no longer in ${host.brokerConfig}.`);
    expect(namesIn(host.read(host.brokerConfig))).toEqual(left);
    broker.send("SIGHUP");
    await broker.saw(`"event":"clients.reloaded","clients":${left.length}`);
    expect((await broker.call(admin, { as: name })).status).toBe(401);
  }
  expect(await host.ghauth(["broker", "--listen", "127.0.0.1:0"])).toMatchObject(
    refused(78, "names no client: run ghauth broker client add"),
  );
});

test.each(["remove", "rotate"])("%s of an unknown name is an error without change", async (action) => {
  await using host = await createKeyHost();
  host.letIn(policies);
  const before = host.read(host.brokerConfig);

  expect(await host.ghauth(["broker", "client", action, "op"])).toMatchObject(
    refused(78, 'has no client "op"; it has: ops, build-1, idle.'),
  );

  expect(host.read(host.brokerConfig)).toBe(before);
});

test.each([
  ["in one line", (sha256: string) => `clients = { ops = { token_sha256 = "${sha256}" } }\n`],
  ["by dotted keys", (sha256: string) => `[clients]\nops.token_sha256 = "${sha256}"\n`],
  ["with its hash in another form", (sha256: string) => `[clients.ops]\ntoken_sha256 = """${sha256}"""\n`],
])("a client that is written %s is left to a person", async (_, write) => {
  await using host = await createKeyHost();
  const before = write(hashOf("x"));
  host.write(host.brokerConfig, before);

  expect(await host.ghauth(["broker", "client", "rotate", "ops"])).toMatchObject(
    refused(78, "was not changed: change it by hand"),
  );

  expect(host.read(host.brokerConfig)).toBe(before);
});

test("a broker.toml that others can write to is not changed, nor made to look safe", async () => {
  await using host = await createKeyHost();
  host.letIn(policies);
  host.write(host.brokerConfig, host.read(host.brokerConfig), 0o666);

  for (const words of [["add", "new"], ["remove", "ops"], ["rotate", "ops"], ["list"]]) {
    expect(await host.ghauth(["broker", "client", ...words])).toMatchObject(
      refused(78, "can be written by others"),
    );
  }
  expect(statSync(host.brokerConfig).mode & 0o777).toBe(0o666);
});
