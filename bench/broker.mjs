import { spawn } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import autocannon from "autocannon";

const rounds = 7;
const connections = 50;
const seconds = 2;
const app = { id: 123_456, installationId: 987_654 };
const bearer = "bench-bearer-0123456789abcdef";
const headers = { authorization: `Bearer ${bearer}` };
const repositories = Array.from({ length: 20 }, (_, n) => `repository-${n}`);
const admin = "/admin/github-installation-token";

// A peer that does nothing but answer, in a process of its own as the broker is.
const bareServer = `
  const body = process.argv[1];
  const server = require("node:http").createServer((request, response) => {
    response.writeHead(200, { "content-type": "application/json" });
    response.end(body);
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));`;

/**
 * The broker with a token in its cache against a bare node:http server that answers as many bytes, in turn; and how
 * often it mints for 1,000 cold requests of 20 scopes.
 *
 * @returns {Promise<string[]>}
 */
export async function benchBroker() {
  const home = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  const children = [];
  const start = (words, options) => {
    const child = spawn(process.execPath, words, { stdio: ["pipe", "pipe", "inherit"], ...options });
    children.push(child);
    return child;
  };
  try {
    const env = await setUp(home, start);
    const broker = await startBroker(start, env);
    const cold = await benchCold(broker);
    const body = await (await fetch(broker + admin, { headers })).text();
    const bare = start(["-e", bareServer, body]);
    const [port] = await once(createInterface(bare.stdout), "line");
    const runs = { broker: [], bare: [] };
    for (let round = -1; round < rounds; round++) {
      const pair = { broker: await load(broker + admin), bare: await load(`http://127.0.0.1:${port}/`) };
      if (round < 0) continue; // the first round warms up
      runs.broker.push(pair.broker);
      runs.bare.push(pair.bare);
    }
    const ours = runs.broker.map(({ requests }) => requests.average);
    const peers = runs.bare.map(({ requests }) => requests.average);
    const ratio = median(ours.map((average, round) => average / peers[round]));
    const p99 = median(runs.broker.map(({ latency }) => latency.p99));
    return [
      `token broker, cached token: ${ratio.toFixed(2)} of a bare node:http server (at least 0.4); ${median(ours).toFixed(0)} and ${median(peers).toFixed(0)} requests/s`,
      `token broker, p99 at ${connections} connections: ${p99} ms (under 20)`,
      cold,
    ];
  } finally {
    for (const child of children) child.kill();
    rmSync(home, { recursive: true, force: true });
  }
}

async function setUp(home, start) {
  const gitHub = start([fileURLToPath(new URL("stand-in.mjs", import.meta.url))]);
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  gitHub.stdin.end(
    JSON.stringify({ ...app, repositories, publicKey: publicKey.export({ type: "spki", format: "pem" }) }),
  );
  const [baseUrl] = await once(createInterface(gitHub.stdout), "line");
  const config = join(home, ".config/takopi");
  mkdirSync(config, { recursive: true, mode: 0o700 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" });
  writeFileSync(join(config, "github-app.pem"), pem, { mode: 0o600 });
  const sha256 = createHash("sha256").update(bearer).digest("hex");
  const clients = `[clients.bench]\ntoken_sha256 = "${sha256}"\nadmin = true\n`;
  writeFileSync(join(config, "broker.toml"), clients, { mode: 0o600 });
  return {
    PATH: process.env.PATH,
    HOME: home,
    GITHUB_APP_ID: String(app.id),
    GITHUB_APP_INSTALLATION_ID: String(app.installationId),
    GITHUB_API_URL: baseUrl,
  };
}

/** Its log goes into a file: reading it must not cost who makes the load. */
async function startBroker(start, env) {
  const ghauth = fileURLToPath(new URL("../dist/main.js", import.meta.url));
  const log = join(env.HOME, "log");
  const stdio = ["ignore", openSync(log, "w"), "inherit"];
  const broker = start([ghauth, "broker", "--listen", "127.0.0.1:0"], { env, stdio });
  for (;;) {
    const address = /"address":"([^"]+)"/.exec(readFileSync(log, "utf8"))?.[1];
    if (address !== undefined) return `http://${address}`;
    if (broker.exitCode !== null) throw new Error(`the broker ended with ${broker.exitCode}`);
    await delay(20);
  }
}

async function benchCold(url) {
  const startedMs = performance.now();
  const answers = await Promise.all(
    Array.from({ length: 1000 }, (_, n) =>
      fetch(`${url}/api/acme/${repositories[n % repositories.length]}`, { headers }),
    ),
  );
  const ms = performance.now() - startedMs;
  const failed = answers.filter(({ status }) => status !== 200).length;
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const mints = /^ghauth_broker_mints_total (\d+)$/m.exec(metrics)?.[1];
  return `token broker, 1000 cold requests for 20 scopes: ${mints} mints (exactly 20), ${failed} failed, ${ms.toFixed(0)} ms`;
}

async function load(url) {
  const result = await autocannon({ url, headers, connections, duration: seconds });
  if (result.errors > 0 || result.non2xx > 0)
    throw new Error(`${url}: ${result.errors} errors, ${result.non2xx} refusals`);
  return result;
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}
