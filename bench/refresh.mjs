import { spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { medians, ratioLine } from "./compare.mjs";

const app = { id: 123_456, installationId: 987_654 };

const ours = fileURLToPath(new URL("../scripts/takopi-refresh-github-token", import.meta.url));
const baseline = fileURLToPath(new URL("refresh-baseline.sh", import.meta.url));

/**
 * Times a whole refresh against the same work done in bash, openssl, curl and jq, in turn, against one GitHub stand-in
 * on loopback in another process. Resolves with the line to print.
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

    const [oursMs, baselineMs] = medians([[ours], [baseline]], { rounds: 21, options: { env } });
    const peer = { peer: "bash + openssl + curl + jq", peerMs: baselineMs, atMost: 0.75 };
    return [ratioLine("refresh script", oursMs, peer)];
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
