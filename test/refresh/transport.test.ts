import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect, type Socket } from "node:net";
import { once } from "node:events";
import { expect, test } from "vitest";
import { createCertificate } from "../support/certificate.js";
import { refreshInProcess } from "../support/in-process.js";
import { createMachine } from "../support/machine.js";

/** A machine whose GitHub speaks TLS, with a certificate of a CA that openssl has just made. */
async function createTlsMachine() {
  const machine = await createMachine();
  const { caFile, certFile, keyFile } = createCertificate(machine.root);
  const tls = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(certFile, "utf8") };
  const tlsUrl = (await machine.github.listen({ tls })).replace("127.0.0.1", "localhost");
  return Object.assign(machine, { caFile, tls: { GITHUB_API_URL: tlsUrl } });
}

/** A proxy that tunnels by CONNECT; `asked` lists the hosts, `credentials` what it wants to be told. */
async function startProxy(credentials?: string) {
  const asked: (string | undefined)[] = [];
  const sockets = new Set<Socket>();
  const server = createServer();
  server.on("connection", (socket) => sockets.add(socket));
  server.on("connect", (request, socket, head) => {
    asked.push(request.url);
    socket.on("error", () => {});
    if (credentials !== undefined && request.headers["proxy-authorization"] !== credentials) {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 5\r\n\r\nlogin");
      return;
    }
    const { hostname, port } = new URL(`http://${request.url}`);
    const upstream = connect(Number(port), hostname, () => {
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      upstream.write(head);
      upstream.pipe(socket).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on("error", () => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
  return {
    asked,
    host,
    [Symbol.asyncDispose]: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, "close");
    },
  };
}

test("GitHub over TLS is reached through HTTPS_PROXY with a private CA, and NO_PROXY goes round it", async () => {
  await using machine = await createTlsMachine();
  await using proxy = await startProxy();
  const env = { ...machine.tls, NODE_EXTRA_CA_CERTS: machine.caFile, HTTPS_PROXY: `http://${proxy.host}` };

  expect(await machine.refresh({ env })).toMatchObject({ exitCode: 0 });
  expect(proxy.asked).toEqual([new URL(machine.tls.GITHUB_API_URL).host]);

  expect(await machine.refresh({ env: { ...env, NO_PROXY: "example.com,localhost" } })).toMatchObject({
    exitCode: 0,
  });
  expect(proxy.asked).toHaveLength(1);
  expect(machine.github.mints).toBe(2);
});

test("proxy and CA count in github-app.env too", async () => {
  await using machine = await createTlsMachine();
  await using proxy = await startProxy();
  const settings = `HTTPS_PROXY=http://${proxy.host}\nNODE_EXTRA_CA_CERTS=${machine.caFile}\n`;
  machine.write(machine.paths.appEnvFile, machine.read(machine.paths.appEnvFile) + settings);

  expect(await machine.refresh({ env: machine.tls })).toMatchObject({ exitCode: 0 });
  expect(proxy.asked).toHaveLength(1);
  expect(await machine.refresh({ env: { ...machine.tls, NO_PROXY: "*" } })).toMatchObject({ exitCode: 0 });
  expect(proxy.asked).toHaveLength(1);
});

test("a proxy that wants credentials gets those of its URL, and without them a person is told", async () => {
  await using machine = await createTlsMachine();
  await using proxy = await startProxy(`Basic ${Buffer.from("me:hunter2").toString("base64")}`);
  const env = { ...machine.tls, NODE_EXTRA_CA_CERTS: machine.caFile };

  expect(
    await machine.refresh({ env: { ...env, HTTPS_PROXY: `http://me:hunter2@${proxy.host}` } }),
  ).toMatchObject({
    exitCode: 0,
  });
  expect(await machine.refresh({ env: { ...env, HTTPS_PROXY: `http://${proxy.host}` } })).toMatchObject({
    exitCode: 78,
    stderr: expect.stringMatching(
      /proxy before .* wants credentials \(HTTP 407\): put them into HTTPS_PROXY/,
    ),
  });
});

test.for([
  {
    what: "untrusted",
    host: "localhost",
    isTrusted: false,
    says: /\(UNABLE_TO_VERIFY.*\): .*NODE_EXTRA_CA_CERTS/,
  },
  { what: "for another name", host: "127.0.0.1", isTrusted: true, says: /\(ERR_TLS_CERT_ALTNAME_INVALID\)/ },
])("a certificate that is $what waits for a person", async ({ host, isTrusted, says }) => {
  await using machine = await createTlsMachine();
  const env = {
    GITHUB_API_URL: machine.tls.GITHUB_API_URL.replace("localhost", host),
    ...(isTrusted && { NODE_EXTRA_CA_CERTS: machine.caFile }),
  };

  const { exitCode, stderr } = await machine.refresh({ env });

  expect({ exitCode, stderr }).toEqual({ exitCode: 78, stderr: expect.stringMatching(says) });
  expect(machine.log()).toMatchObject([{ code: "tls_untrusted", exit: 78 }]);
  expect(machine.github.requests).toEqual([]);
});

test("an Enterprise Server's base URL is kept, with or without a last slash", async () => {
  await using machine = await createMachine();

  for (const path of ["/api/v3", "/api/v3/"]) {
    expect(
      await refreshInProcess(machine, { env: { GITHUB_API_URL: machine.baseUrl + path } }),
    ).toMatchObject({ ok: true });
  }
  expect([...new Set(machine.github.requests.map(({ path }) => path))]).toEqual([
    "/api/v3/app/installations/987654/access_tokens",
    "/api/v3/rate_limit",
  ]);
});

test("40-character tokens of an Enterprise Server are as good as long ones", async () => {
  await using machine = await createMachine({ tokenFormat: "short" });

  expect(await machine.refresh()).toMatchObject({ exitCode: 0 });
  expect(machine.heldToken()).toMatch(/^ghs_[A-Za-z0-9]{36}$/);
});

test("an HTTPS_PROXY that is no URL waits for a person", async () => {
  await using machine = await createMachine();
  const env = { GITHUB_API_URL: "https://127.0.0.1:9", HTTPS_PROXY: "http://[bad" };

  expect(await machine.refresh({ env })).toMatchObject({
    exitCode: 78,
    stderr: expect.stringContaining("HTTPS_PROXY must be a URL"),
  });
});

test.for([
  { what: "the server does not speak TLS", url: "https", says: /it does not speak TLS/ },
  {
    what: "nobody listens",
    url: "http://127.0.0.1:9",
    says: /127\.0\.0\.1:9 cannot be reached: it refuses connections/,
  },
  {
    what: "the name does not resolve",
    url: "http://nowhere.invalid",
    says: /nowhere\.invalid cannot be reached: its name/,
  },
])("where $what, the sentence says so", async ({ url, says }) => {
  await using machine = await createMachine();
  const env = { GITHUB_API_URL: url === "https" ? machine.baseUrl.replace("http:", "https:") : url };

  expect(await refreshInProcess(machine, { env })).toMatchObject({
    exit: 75,
    sentence: expect.stringMatching(says),
  });
});
