import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { IncomingHttpHeaders } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPod } from "../support/container.js";
import { createGitServer } from "../support/git-server.js";
import { containerOf, readManifest } from "../support/manifest.js";
import { needs, needsRoot } from "../support/needs.js";
import { createSidecarHost, parseLog } from "../support/sidecar-host.js";

test("the manifest's pod: init mints, clone clones, the sidecar keeps the token, all without any right", async (context) => {
  needsRoot(context);
  needs(context, "nsenter", "setpriv", "git", "gh", "openssl");
  await using host = await createSidecarHost();
  const shared = join(host.root, "shared");
  const git = await createGitServer({
    directory: shared,
    accepts: ({ username, password }) => username === "x-access-token" && host.github.isLive(password),
  });
  await using _ = { [Symbol.asyncDispose]: git.close };
  await using pod = await createPod({ secrets: host.secretsDir, shared });
  const socketPath = await host.github.listen({ socketPath: join(shared, "github.sock") });
  chmodSync(socketPath, 0o777);
  host.write(join(shared, "gh/config.yml"), "http_unix_socket: /shared/github.sock\n", 0o644);
  chmodSync(join(shared, "gh"), 0o755);
  const manifest = readManifest();
  const repository = `${git.url}/acme/site.git`;
  const github = { GITHUB_API_URL: host.baseUrl, WORKSPACE_REPOS: repository };
  const workspace = {
    WORKSPACE_REPOS: repository,
    GIT_SSL_CAINFO: "/shared/cert.pem",
    GIT_CONFIG_KEY_0: `credential.${git.url}.helper`,
  };
  const tokenDirectory = pod.path("run/github");

  const init = await pod.run(containerOf(manifest, "generate-initial-token"), github);
  expect(init).toEqual({ exitCode: 0, output: expect.stringContaining('"token.refreshed"') });
  expect(readdirSync(tokenDirectory).sort()).toEqual(["token", "token.json"]);
  const first = readFileSync(join(tokenDirectory, "token"), "utf8");
  expect(first).toBe(host.github.liveTokens[0]);
  expect(statSync(join(tokenDirectory, "token"))).toMatchObject({ uid: 65_532, gid: 65_532, mode: 0o100440 });

  const clone = await pod.run(containerOf(manifest, "clone-repos"), workspace);
  expect(clone).toEqual({ exitCode: 0, output: "" });
  expect(existsSync(pod.path("workspace/site/.git/HEAD"))).toBe(true);
  expect(fetchesOf(git.requests)).toBe(1);

  const keeper = containerOf(manifest, "github-token-sidecar");
  await using sidecar = pod.start(keeper, github);
  await sidecar.saw('"token.refreshed"');
  const second = readFileSync(join(tokenDirectory, "token"), "utf8");
  expect(second).toBe(host.github.liveTokens[1]);
  const pid = pod.pidOf(sidecar);
  const status = statusOf(pid);
  expect(status).toMatchObject({
    NSpid: expect.stringMatching(/\t1$/),
    Uid: "65532\t65532\t65532\t65532",
    NoNewPrivs: "1",
    CapEff: "0000000000000000",
    CapPrm: "0000000000000000",
    CapBnd: "0000000000000000",
  });
  const health = await pod.run({ ...keeper, command: keeper.startupProbe?.exec?.command ?? [], args: [] });
  expect(health).toEqual({ exitCode: 0, output: "The token has 59 min left.\n" });

  const shell = containerOf(manifest, "workspace");
  await using work = pod.start(shell, { ...workspace, GH_CONFIG_DIR: "/shared/gh" });
  await work.saw("4999\n"); // gh, of the rate limit
  await expect.poll(() => fetchesOf(git.requests)).toBe(2);
  expect(lastBearer(host.github.requests)).toBe(second);
  for (const place of ["/escape", "/var/run/github/token"]) {
    const write = await pod.run({ ...shell, args: [`printf x >${place}`] });
    expect(write.exitCode).not.toBe(0);
  }

  // A full tmpfs costs no token, and it is told.
  writeFileSync(join(tokenDirectory, "filler"), "");
  fill(join(tokenDirectory, "filler"));
  const full = await pod.run(containerOf(manifest, "generate-initial-token"), {
    ...github,
    GHAUTH_REFRESH_DEADLINE_SECONDS: "3",
  });
  expect(full.exitCode).toBe(75);
  expect(parseLog(full.output).at(-1)).toMatchObject({
    code: "write_failed",
    sentence: "The token file /var/run/github/token cannot be written: the disk is full.",
  });
  expect(readFileSync(join(tokenDirectory, "token"), "utf8")).toBe(second);
  expect(readdirSync(tokenDirectory).sort()).toEqual(["filler", "token", "token.json"]);

  process.kill(pid, "SIGTERM");
  expect(await sidecar.exitCode()).toBe(0);
});

function statusOf(pid: number): Record<string, string> {
  const text = readFileSync(`/proc/${pid}/status`, "utf8");
  return Object.fromEntries([...text.matchAll(/^(\w+):\t(.*)$/gm)].map(([, name, value]) => [name, value]));
}

/** How often a client that had been let in asked for refs. */
function fetchesOf(requests: { path: string; username: string; status: number }[]): number {
  return requests.filter(
    ({ path, username, status }) =>
      path.includes("/info/refs") && username === "x-access-token" && status === 200,
  ).length;
}

function lastBearer(requests: readonly { path: string; headers: IncomingHttpHeaders }[]): string | undefined {
  const last = requests.findLast(({ path }) => path.endsWith("/rate_limit"));
  return last?.headers.authorization?.replace(/^(?:bearer|token) /i, "");
}

function fill(path: string): void {
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch {
      // full for pieces of this size
    }
  }
}
