import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { createGhauthCommand } from "../ghauth/ghauth-command.js";
import { systemClock } from "../system/clock.js";
import { endSoon } from "../system/end-soon.js";
import { type Paths, resolvePaths } from "../system/paths.js";
import { createDispatch } from "../takopi/dispatch.js";
import { readTakopiConfig } from "../takopi/takopi-config.js";
import { answer, runConsole } from "../transports/console/console.js";
import { createGitHubStandIn } from "../stand-in/github-stand-in.js";

const appId = 123_456;
const installationId = 987_654;
const script = ["/ghauth flow", "/ghauth status", "/ghauth refresh", "/ghauth status"];

/**
 * `ghauth demo`: the whole chain on an embedded GitHub stand-in, in a temporary home that is removed at the end. Lines
 * from its input are answered like commands in chat; without any it plays flow, status, refresh, status.
 */
export async function main(): Promise<number> {
  const { stdin, stdout } = process;
  const home = mkdtempSync(join(tmpdir(), "ghauth-demo-"));
  const removeHome = () => rmSync(home, { recursive: true, force: true });
  process.once("exit", removeHome); // however it ends
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(name, () => {
      stop.abort();
      endSoon(); // whatever still runs
    });
  }
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const gitHub = createGitHubStandIn({
    apps: [
      {
        id: appId,
        clientId: "Iv23liDemoDemoDemo",
        slug: "demo",
        publicKey,
        permissions: { contents: "write" },
      },
    ],
    installations: [
      { id: installationId, appId, account: { login: "acme", type: "Organization" }, repositories: ["site"] },
    ],
  });
  try {
    const env = { PATH: process.env["PATH"], HOME: home, GHAUTH_NODE: process.execPath };
    const paths = resolvePaths(env);
    setUp(paths, {
      apiUrl: await gitHub.listen(),
      privateKey: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
    });
    const command = createGhauthCommand({ clock: systemClock, env, hasTimerAndGh: false });
    const dispatch = createDispatch(new Map([[command.id, command]]), readTakopiConfig(paths.takopiConfig));
    stdout.write(`A GitHub of its own on loopback, and a home of its own in ${home}: try /ghauth help\n`);
    stdout.write(stdin.isTTY ? "Tab completes; exit, or Ctrl-C, ends it.\n\n" : "\n");
    const streams = { input: stdin, output: stdout };
    const lines = await runConsole(streams, { dispatch, commands: [command] }, stop.signal);
    if (lines > 0 || stdin.isTTY || stop.signal.aborted) return 0;
    for (const line of script) {
      if (stop.signal.aborted) return 0;
      stdout.write(`> ${line}\n`);
      await answer(line, { dispatch, output: stdout });
    }
    return 0;
  } finally {
    await gitHub.close();
    removeHome();
  }
}

/** What an operator's set-up leaves behind: key, settings, configuration. */
function setUp(paths: Paths, { apiUrl, privateKey }: { apiUrl: string; privateKey: string }): void {
  const files = {
    [paths.privateKeyFile]: privateKey,
    [paths.appEnvFile]: [
      `GITHUB_APP_ID=${appId}`,
      `GITHUB_APP_INSTALLATION_ID=${installationId}`,
      `GITHUB_API_URL=${apiUrl}`,
      "GH_AUTH=off",
      "",
    ].join("\n"),
    [paths.takopiConfig]: [
      'transport = "console"',
      "[plugins.ghauth]",
      `refresh_script = ${JSON.stringify(installedScript())}`,
      "",
    ].join("\n"),
  };
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, text, { mode: 0o600 });
  }
}

function installedScript(): string {
  const root = dirname(fileURLToPath(import.meta.resolve("takopi-ghauth/package.json")));
  return join(root, "scripts/takopi-refresh-github-token");
}
