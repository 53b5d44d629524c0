import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { once } from "node:events";
import { get } from "node:http";
import { get as getOverTls } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { ask, readResponse, startGitHub } from "./example-github.js";

const headers = { "user-agent": "ghauth-test" };

async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "ghauth-listen-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

async function makeCertificate(directory: string): Promise<{ key: string; cert: string }> {
  const [keyPath, certPath] = [join(directory, "key.pem"), join(directory, "cert.pem")];
  const what = "-newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1".split(" ");
  execFileSync("openssl", ["req", "-x509", ...what, "-keyout", keyPath, "-out", certPath], {
    stdio: "ignore",
  });
  return { key: await readFile(keyPath, "utf8"), cert: await readFile(certPath, "utf8") };
}

test("one stand-in answers plainly, over TLS and on a unix socket at once", async () => {
  await using example = await startGitHub();
  const directory = await makeDirectory();
  const tls = await makeCertificate(directory);
  const tlsUrl = await example.github.listen({ tls });
  const socketPath = await example.github.listen({ socketPath: join(directory, "github.sock") });

  const requests = [
    get(`${example.baseUrl}/rate_limit`, { headers }),
    getOverTls(`${tlsUrl}/rate_limit`, { headers, ca: tls.cert }),
    get({ socketPath, path: "/rate_limit", headers }),
  ];
  const answers = await Promise.all(requests.map(readResponse));

  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
  expect(tlsUrl).toMatch(/^https:\/\/127\.0\.0\.1:\d+$/);
  expect(example.github.requests).toHaveLength(3);
});

test("a port that is taken is an error", async () => {
  await using example = await startGitHub();

  await expect(example.github.listen({ port: Number(new URL(example.baseUrl).port) })).rejects.toThrow(
    "EADDRINUSE",
  );
});

test("closing ends connections that never sent a request, and may be repeated", async () => {
  await using example = await startGitHub();
  const socket = connect(Number(new URL(example.baseUrl).port), "127.0.0.1");
  await once(socket, "connect");
  // The answer shows that the stand-in has accepted the connection before this one too.
  await ask(example.baseUrl, "/rate_limit");

  const closed = once(socket, "close");
  await example.github.close();
  await example.github.close();

  await expect(closed).resolves.toEqual([false]);
});
