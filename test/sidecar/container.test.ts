import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createPod } from "../support/container.js";
import { createGitServer } from "../support/git-server.js";
import { containerOf, readManifest } from "../support/manifest.js";
import { needs, needsRoot } from "../support/needs.js";
import { createSidecarHost, parseLog } from "../support/sidecar-host.js";

test("the manifest's pod: init mints, clone clones, the sidecar keeps the token, all without any right", async (context) => {
  needsRoot(context);
  needs(context, "nsenter", "setpriv", "git", "openssl");
  await using host = await createSidecarHost();
  const shared = join(host.root, "shared");
  const git = await createGitServer({
    directory: shared,
    accepts: ({ username, password }) => username === "x-access-token" && host.github.isLive(password),
  });
  await using _ = { [Symbol.asyncDispose]: git.close };
  await using pod = await createPod({ secrets: host.secretsDir, shared });
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
  expect(init).toEqual({ exitCode: 0, output: expect.stringContaining('"refreshed"') });
  expect(readdirSync(tokenDirectory).sort()).toEqual(["token", "token.json"]);
  const first = readFileSync(join(tokenDirectory, "token"), "utf8");
  expect(first).toBe(host.github.liveTokens[0]);
  expect(statSync(join(tokenDirectory, "token"))).toMatchObject({ uid: 65_532, gid: 65_532, mode: 0o100440 });

  const clone = await pod.run(containerOf(manifest, "clone-repos"), workspace);
  expect(clone).toEqual({ exitCode: 0, output: "" });
  expect(existsSync(pod.path("workspace/site/.git/HEAD"))).toBe(true);
  expect(git.requests.some(({ username, status }) => username === "x-access-token" && status === 200)).toBe(
    true,
  );

  const keeper = containerOf(manifest, "github-token-sidecar");
  await using sidecar = pod.start(keeper, github);
  await sidecar.saw('"refreshed"');
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

  // As the workspace's own command does it, by the helper that reads the token of the hour.
  const shell = containerOf(manifest, "workspace");
  const fetch = await pod.run(
    { ...shell, args: ["git -C /workspace/site fetch && touch /escape"] },
    workspace,
  );
  expect(fetch).toMatchObject({ output: expect.stringContaining("Read-only file system") });
  const key = await pod.run({ ...shell, args: ["printf x >/var/run/github/token"] }, workspace);
  expect(key.exitCode).not.toBe(0);

  // A full tmpfs costs no token, and it is told.
  writeFileSync(join(tokenDirectory, "filler"), "");
  fill(join(tokenDirectory, "filler"));
  const full = await pod.run(containerOf(manifest, "generate-initial-token"), {
    ...github,
    GHAUTH_REFRESH_DEADLINE_SECONDS: "1",
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

function fill(path: string): void {
  for (const size of [65_536, 4_096, 1]) {
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch {
      // full for pieces of this size
    }
  }
}
