import { connect } from "node:net";
import { expect, test } from "vitest";
import { createKeyHost, sendRaw } from "../support/broker.js";

test("a large body, large headers and a client that never ends its request are cut off", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const get = "GET /healthz HTTP/1.1\r\nHost: broker\r\n";

  const [body, headers, slow] = await Promise.all([
    sendRaw(broker, `${get}Content-Length: 1000000\r\n\r\n${"x".repeat(100_000)}`),
    sendRaw(broker, `${get}X: ${"x".repeat(20_000)}\r\n\r\n`),
    sendRaw(broker, get),
  ]);

  expect(body).toMatch(/^(?:HTTP\/1\.1 413 |$)/);
  expect(headers).toMatch(/^HTTP\/1\.1 431 /);
  expect(slow).toMatch(/^HTTP\/1\.1 408 /);
});

test("SIGTERM ends a broker within 10 s, whatever GitHub still owes it, with 0", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker([], { GHAUTH_REFRESH_DEADLINE_SECONDS: "60" });
  host.github.hold();
  const asked = broker.call("/admin/github-installation-token", { as: "ops" }).catch(() => "cut");
  await expect.poll(() => host.github.requests.length).toBeGreaterThan(0);
  const startedMs = performance.now();

  expect(await broker.stop()).toBe(0);
  expect(await asked).toBe("cut");
  expect(performance.now() - startedMs).toBeLessThan(40_000);
});

test("2,100 connections that nobody authenticates on do not keep a client out", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();
  const [address = "", port = ""] = broker.address.split(":");
  const strangers = Array.from({ length: 2100 }, () => connect(Number(port), address));
  try {
    for (const stranger of strangers) {
      stranger.on("error", () => {}); // there is not room for all
      stranger.write("GET /healthz HTTP/1.1\r\nHost: broker\r\n\r\n");
    }
    await Promise.all(
      strangers.map(
        async (stranger) =>
          new Promise((answered) => void stranger.once("data", answered).once("close", answered)),
      ),
    );

    const isServed = async () =>
      broker.call("/admin/github-installation-token", { as: "ops" }).then(
        ({ status }) => status === 200,
        () => false,
      );
    await expect.poll(isServed, { interval: 500 }).toBe(true);
    expect(strangers.filter(({ closed }) => !closed).length).toBeGreaterThan(1000);
  } finally {
    for (const stranger of strangers) stranger.destroy();
  }
});
