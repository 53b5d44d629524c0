import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const pairs = 15;
const warmUps = 3;
const app = { id: 123_456, installationId: 987_654 };

const ours = fileURLToPath(new URL("../scripts/takopi-refresh-github-token", import.meta.url));
const baseline = fileURLToPath(new URL("refresh-baseline.sh", import.meta.url));

/**
 * Times a whole refresh against the same work done in bash, openssl, curl and jq, in turn, against one GitHub stand-in
 * on loopback in another process. Resolves with lines to print; the last one has the ratio of the medians.
 *
 * @returns {Promise<string[]>}
 */
export async function benchRefresh() {
  const root = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  const gitHub = spawn(process.execPath, [fileURLToPath(new URL("stand-in.mjs", import.meta.url))], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  try {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    gitHub.stdin.end(
      JSON.stringify({ ...app, publicKey: publicKey.export({ type: "spki", format: "pem" }) }),
    );
    const [baseUrl] = await once(createInterface(gitHub.stdout), "line");
    const env = makeHome(root, { baseUrl, pem: privateKey.export({ type: "pkcs1", format: "pem" }) });

    const times = { ours: [], baseline: [] };
    for (let pair = -warmUps; pair < pairs; pair++) {
      const run = { ours: await timeOf(ours, env), baseline: await timeOf(baseline, env) };
      if (pair < 0) continue;
      times.ours.push(run.ours);
      times.baseline.push(run.baseline);
    }
    const [oursMs, baselineMs] = [median(times.ours), median(times.baseline)];
    return [
      `refresh script: ${oursMs.toFixed(0)} ms`,
      `bash + openssl + curl + jq: ${baselineMs.toFixed(0)} ms`,
      `ratio of medians (${pairs} runs each, in turn): ${(oursMs / baselineMs).toFixed(2)}`,
    ];
  } finally {
    gitHub.kill();
    rmSync(root, { recursive: true, force: true });
  }
}

function makeHome(home, { baseUrl, pem }) {
  const config = join(home, ".config/takopi");
  mkdirSync(config, { recursive: true, mode: 0o700 });
  writeFileSync(join(config, "github-app.pem"), pem, { mode: 0o600 });
  return {
    PATH: process.env.PATH,
    HOME: home,
    GHAUTH_NODE: process.execPath,
    GITHUB_APP_ID: String(app.id),
    GITHUB_APP_INSTALLATION_ID: String(app.installationId),
    GITHUB_API_URL: baseUrl,
    GH_AUTH: "off",
  };
}

async function timeOf(program, env) {
  const startedAt = performance.now();
  const child = spawn(program, [], { env, stdio: ["ignore", "ignore", "inherit"] });
  const [exitCode] = await once(child, "exit");
  if (exitCode !== 0) throw new Error(`${program} ended with ${exitCode}`);
  return performance.now() - startedAt;
}

function median(numbers) {
  return numbers.toSorted((one, other) => one - other)[Math.floor(numbers.length / 2)];
}
