import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import { connect, type Socket } from "node:net";
import { setImmediate as turn, setTimeout as delay } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { createHttpClient, type HttpClientOptions } from "../../src/github/http-client.js";

async function serve(handle: RequestListener): Promise<URL> {
  const server = createServer(handle).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const address = server.address();
  return new URL(`http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`);
}

async function get(url: URL, options: Partial<HttpClientOptions> = {}) {
  const client = createHttpClient({ timeLeftMs: () => 60_000, ...options });
  onTestFinished(() => client.close());
  return client.request({ method: "GET", url, headers: {} });
}

test("an answer up to 1 MB is read, one byte more is refused", async () => {
  const largest = 1_048_576;
  const url = await serve(({ url: path }, response) => response.end("x".repeat(Number(path?.slice(1)))));

  expect((await get(new URL(`/${largest}`, url))).text).toHaveLength(largest);
  await expect(get(new URL(`/${largest + 1}`, url))).rejects.toMatchObject({
    code: "github_unavailable",
    message: expect.stringContaining("its answer is over 1 MB"),
  });
});

test("an answer that never comes, or never ends, is given up", async () => {
  const silent = await serve(() => {});
  const endless = await serve((_, response) => {
    const timer = setInterval(() => response.write("x"), 5);
    response.on("close", () => clearInterval(timer));
  });

  for (const url of [silent, endless]) {
    await expect(get(url, { answerTimeoutMs: 100 })).rejects.toMatchObject({
      code: "github_unreachable",
      message: `${url.host} gave no answer in 0.1 s.`,
    });
  }
});

test("no call outlasts what is left of the deadline", async () => {
  const url = await serve(() => {});

  await expect(get(url, { timeLeftMs: () => 120 })).rejects.toThrow("gave no answer in 0.1 s");
});

test("connecting is given up before the answer is", async () => {
  // A stopped process accepts nobody: once the kernel's queue is full, connecting hangs.
  const listen = `require("net").createServer().listen({ port: 0, host: "127.0.0.1", backlog: 1 }, function () {
    console.log(this.address().port); })`;
  const child = spawn(process.execPath, ["-e", listen], { stdio: ["ignore", "pipe", "inherit"] });
  const sockets: Socket[] = [];
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    child.kill("SIGKILL");
  });
  const [chunk] = await once(child.stdout, "data");
  const port = Number(String(chunk));
  child.kill("SIGSTOP");
  for (let isFull = false; !isFull;) {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    sockets.push(socket);
    await Promise.race([once(socket, "connect"), delay(200)]);
    await turn(); // where we were held up ourselves, it has connected meanwhile
    isFull = socket.connecting;
  }

  await expect(get(new URL(`http://127.0.0.1:${port}`), { connectTimeoutMs: 100 })).rejects.toMatchObject({
    code: "github_unreachable",
    message: `127.0.0.1:${port} cannot be reached: connecting takes too long.`,
  });
});

test.for([
  [
    "cut in the middle",
    "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf",
    "github_unreachable",
    "the connection was cut",
  ],
  ["no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", "github_unavailable", "sent something that is no answer"],
] as const)("an answer that is %s is told", async ([, bytes, code, sentence]) => {
  const url = await serve((_, response) => response.socket?.end(bytes));

  await expect(get(url)).rejects.toMatchObject({ code, message: expect.stringContaining(sentence) });
});
