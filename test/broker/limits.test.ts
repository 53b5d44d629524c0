import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createKeyHost, sendRaw } from "../support/broker.js";
import { expectNoSecret } from "../support/machine.js";
import { createRandom } from "../support/random.js";

const admin = "/admin/github-installation-token";

test("a unix socket has mode 0660, is taken over from a killed broker, never from a running one", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const directory = join(host.root, "run");
  mkdirSync(directory);
  const socket = `unix:${join(directory, "broker.sock")}`;
  const killed = await host.startBroker(["--listen", socket]);
  expect(statSync(join(directory, "broker.sock")).mode & 0o777).toBe(0o660);
  expect(await killed.call(admin, { as: "ops" })).toMatchObject({ status: 200 });
  killed.send("SIGKILL");
  await killed.exitCode();

  const broker = await host.startBroker(["--listen", socket]);
  expect(await host.ghauth(["broker", "--listen", socket])).toMatchObject({
    exitCode: 75,
    stderr: expect.stringContaining("Somebody listens on"),
  });
  expect(await broker.call(admin, { as: "ops" })).toMatchObject({ status: 200 });
  expect(await broker.stop()).toBe(0);
  expect(existsSync(join(directory, "broker.sock"))).toBe(false);
});

test("SIGTERM lets what is running finish, and ends with 0", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const release = host.github.hold();
  const asked = broker.call(admin, { as: "ops" });
  while (host.github.requests.length === 0) await new Promise((resolve) => void setImmediate(resolve));

  const stopped = broker.stop();
  await broker.saw('"broker.stopping"');
  release();

  expect(await asked).toMatchObject({ status: 200 });
  expect(await stopped).toBe(0);
});

test("whatever is sent gets an answer, never a 5xx, and never a secret", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const token = await broker.token(admin, "ops");
  const random = createRandom(20_261_122);
  const pick = <T>(from: readonly T[], or: T): T => from[Math.floor(random() * from.length)] ?? or;
  const methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"];
  const pieces = [
    "/",
    "admin",
    "api",
    "workspaces",
    "github-installation-token",
    "acme",
    "site",
    "healthz",
    "..",
    "%",
    "%00",
    "%2e%2e",
    "%ff",
    "?",
    "&",
    "=",
    "min_ttl",
    "repositories",
    "permissions",
    "*",
    ",",
    "//",
    "\\",
    "é",
    "__proto__",
    "constructor",
    "99999999999",
    ":",
    "@",
    "#",
    "{",
    "'",
  ];
  const headers = [
    "Authorization: Bearer x",
    "Authorization: Basic eDp5",
    "Content-Length: 3",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "Host:",
    "Host: a b",
    "Upgrade: h2c",
    "X-Forwarded-For: 1",
    "Accept: \u0000",
    "Cookie: a=b",
  ];
  const requests = Array.from({ length: 400 }, () => {
    const path = `/${Array.from({ length: Math.floor(random() * 6) }, () => pick(pieces, "/")).join(pick(["", "/"], ""))}`;
    const lines = Array.from({ length: Math.floor(random() * 3) }, () => pick(headers, ""));
    return [
      `${pick(methods, "GET")} ${path} HTTP/1.1`,
      "Host: broker",
      ...lines,
      "Connection: close",
      "",
      "abc",
    ].join("\r\n");
  });

  let answered = 0;
  for (let at = 0; at < requests.length; at += 50) {
    const answers = await Promise.all(
      requests
        .slice(at, at + 50)
        .map(async (request) => ({ request, answer: await sendRaw(broker, request) })),
    );
    for (const { request, answer } of answers) {
      expect({ request, answer }).toEqual({
        request,
        answer: expect.stringMatching(/^(?:HTTP\/1\.1 [1-4]\d\d |$)/),
      });
      expectNoSecret(answer, [token]);
      if (answer !== "") answered++;
    }
  }
  expect(answered).toBeGreaterThan(requests.length / 2);
  expect(host.github.mints).toBe(1);
  expect(await broker.call("/healthz")).toMatchObject({ status: 200 });
});
