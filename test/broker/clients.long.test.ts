import { join } from "node:path";
import { expect, test } from "vitest";
import { createKeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";
const refused = (exitCode: number, sentence: string) => ({
  exitCode,
  stdout: "",
  stderr: expect.stringContaining(sentence),
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
    await broker.saw("The clients stay as they were.");
    expect(await statusFor("other")).toBe(200);
  }
});

test("a broker.toml that was cut before a policy's permissions does not widen the client", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: 'admin = true\npermissions = { contents = "read" }' });
  const broker = await host.startBroker();
  const whole = host.read(host.brokerConfig);

  host.write(host.brokerConfig, whole.slice(0, whole.indexOf("permissions")));
  broker.send("SIGHUP");

  await broker.saw('"clients.kept"');
  await broker.saw("clients.ops.token_sha256 must be the SHA-256");
  expect(await broker.call(`${admin}?permissions=contents:write`, { as: "ops" })).toMatchObject({
    status: 403,
  });
  expect(await broker.call(admin, { as: "ops" })).toMatchObject({ status: 200 });
});
