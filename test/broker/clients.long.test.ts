import { createHash } from "node:crypto";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseClients } from "../../src/broker/clients.js";
import { createKeyHost } from "../support/broker.js";
import { createMachine } from "../support/machine.js";

const admin = "/admin/github-installation-token";
const hashOf = (text: string) => createHash("sha256").update(text).digest("hex");
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
      `token_sha256 = "${hashOf(bearer)}"`,
      'repositories = ["acme/*"]',
      'workspaces = ["blue"]',
      'permissions = { contents = "read" }',
      "admin = true",
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
  expect(
    parseClients(host.read(path), path)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(names);
});

test("a client add that is wrong usage changes nothing", async () => {
  await using machine = await createMachine();
  const rows: [string[], string][] = [
    [["add"], "Write: ghauth broker client add NAME"],
    [["remove", "ops"], "Write: ghauth broker client add NAME"],
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

const good = `token_sha256 = "${hashOf("x")}"`;
test.each([
  ["clients = 1", "clients must be a table"],
  ["[client.ops]", "holds client, which is no setting"],
  ["[clients.ops]\ntoken = 'x'", "clients.ops.token must be left out"],
  ["[clients.ops]", "clients.ops.token_sha256 must be the SHA-256"],
  [`[clients.ops]\ntoken_sha256 = "${hashOf("x").toUpperCase()}"`, "in 64 lower-case hex digits"],
  [`[clients.ops]\n${good}\nadmin = "yes"`, "clients.ops.admin must be true or false"],
  [`[clients.ops]\n${good}\nworkspaces = "blue"`, "clients.ops.workspaces must be a list"],
  [`[clients.ops]\n${good}\nrepositories = ["*"]`, 'owner/repo and owner/*, and not "*"'],
  [`[clients.ops]\n${good}\nrepositories = ["acme/si*"]`, 'and not "acme/si*"'],
  [`[clients.ops]\n${good}\nrepositories = ["https://github.com/acme/site"]`, "and not"],
  [
    `[clients.ops]\n${good}\npermissions = { contents = "own" }`,
    "clients.ops.permissions must be a table of levels",
  ],
  [`[clients.ops]\n${good}\npermissions = {}`, "left out, they are the App's"],
  [`[clients."o p s"]\n${good}`, 'names a client "o p s"'],
  [`[clients.a]\n${good}\n[clients.b]\n${good}`, "gives clients.b another client's token_sha256"],
  ["[clients.ops", "line 1, column"],
])("broker.toml %j does not start a broker", async (text, sentence) => {
  expect(() => parseClients(text, "broker.toml")).toThrow(sentence);
});

test("a broker without clients starts only by --insecure-no-auth, and only on this host", async () => {
  await using host = await createKeyHost();
  const start = async (...args: string[]) => host.ghauth(["broker", "--listen", "127.0.0.1:0", ...args]);

  expect(await start()).toMatchObject(refused(78, "names no client: run ghauth broker client add"));
  expect(await start("--insecure-no-auth", "--listen", "0.0.0.0:0")).toMatchObject(
    refused(78, "for loopback and unix sockets only"),
  );
  const broker = await host.startBroker(["--insecure-no-auth"]);
  expect(await broker.call(admin)).toMatchObject({ status: 200 });
  expect(await broker.call("/workspaces/any/github-installation-token")).toMatchObject({ status: 200 });

  host.letIn({ ops: "admin = true" });
  expect(await start("--insecure-no-auth")).toMatchObject(refused(78, "leave one out"));
  host.write(host.brokerConfig, host.read(host.brokerConfig), 0o666);
  expect(await start()).toMatchObject(refused(78, "can be written by others"));
});

test.each([
  [["--listen", "8787"], 64, "--listen takes HOST:PORT"],
  [["--listen", "127.0.0.1:99999"], 64, "--listen takes HOST:PORT"],
  [["--store", "redis://127.0.0.1"], 64, "--store and --store-key-file go together"],
  [["--store", "http://127.0.0.1", "--store-key-file", "k"], 64, "--store takes redis://"],
  [["--store", "redis://:word@127.0.0.1", "--store-key-file", "k"], 64, "--store may hold no password"],
  [["--store", "redis://127.0.0.1", "--store-key-file", "k"], 78, "--store-key-file"],
  [["--port", "1"], 64, "--port"],
])("broker %j ends with %i", async (args, exitCode, sentence) => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  host.write(join(host.home, "k"), "too short");
  const result = await host.ghauth(["broker", ...args]);
  expect(result).toMatchObject(refused(exitCode, sentence));
  expect(result.stderr).not.toContain("word@");
});

test("a key that is no good does not start a broker", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  host.write(host.paths.privateKey, host.read(host.paths.privateKey), 0o644);
  expect(await host.ghauth(["broker"])).toMatchObject(refused(78, "can be read by others"));
});

test("SIGHUP reads the clients again, and keeps the old ones where the file is no good", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const statusFor = async (as: string) => (await broker.call(admin, { as })).status;

  host.letIn({ other: "admin = true" });
  expect([await statusFor("ops"), await statusFor("other")]).toEqual([200, 401]);
  broker.send("SIGHUP");
  await broker.saw('"clients.reloaded"');
  expect([await statusFor("ops"), await statusFor("other")]).toEqual([401, 200]);

  for (const text of ["[clients", "", "[clients.other]\nadmin = true\n"]) {
    host.write(host.brokerConfig, text);
    broker.send("SIGHUP");
    await broker.saw('"clients.kept"');
    expect(await statusFor("other")).toBe(200);
  }
});
