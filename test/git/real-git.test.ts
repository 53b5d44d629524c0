import { join } from "node:path";
import { expect, test } from "vitest";
import { createGitHost, exampleToken, type GitHost, sha256 } from "../support/git-host.js";
import { createGitServer } from "../support/git-server.js";

/** A host whose git knows our helper for a git server that takes live installation tokens, and one person's PAT. */
async function createRealGit() {
  const host = await createGitHost();
  const server = await createGitServer({
    directory: join(host.root, "repositories"),
    accepts: ({ username, password }) =>
      (username === "x-access-token" && host.github.isLive(password)) ||
      (username === "alice" && password === "pat-of-alice"),
  });
  Object.assign(host.env, {
    GIT_SSL_CAINFO: server.caFile,
    GIT_TERMINAL_PROMPT: "0",
    GIT_CONFIG_NOSYSTEM: "1",
  });
  host.write(host.paths.appEnvFile, `${host.read(host.paths.appEnvFile)}GHAUTH_HOSTS=${server.host}\n`);
  host.write(
    join(host.home, ".gitconfig"),
    `[user]\n\tname = Example\n\temail = example@users.noreply.github.com\n[credential "${server.url}"]\n\thelper = ghauth\n`,
  );
  const remote = `${server.url}/acme/site.git`;
  const git = async (...words: string[]) => host.run(["git", ...words]);
  return {
    host,
    server,
    remote,
    git,
    lsRemote: async () => git("ls-remote", remote),
    [Symbol.asyncDispose]: async () => {
      await server.close();
      await host[Symbol.asyncDispose]();
    },
  };
}

const addHelper = async (host: GitHost, url: string, helper: string) =>
  host.run(["git", "config", "--global", "--add", `credential.${url}.helper`, helper]);

test("git clones, fetches and pushes with the token that this host holds", async () => {
  await using real = await createRealGit();
  const { host, git, remote } = real;
  await host.refresh();
  const steps = [
    ["clone", "--quiet", remote, "site"],
    ["-C", "site", "commit", "--quiet", "--allow-empty", "-m", "Second"],
    ["-C", "site", "push", "--quiet", "origin", "main"],
    ["-C", "site", "fetch", "--quiet"],
  ];

  for (const step of steps) expect(await git(...step)).toMatchObject({ exitCode: 0, stderr: "" });

  const { stdout } = await git("-C", real.server.repository, "log", "--format=%s", "main");
  expect(stdout).toBe("Second\nFirst\n");
  expect(host.github.mints).toBe(1);
});

test("with useHttpPath git gets a token for the repositories that it reaches alone", async () => {
  await using real = await createRealGit();
  const { host, git, lsRemote } = real;
  await host.refresh();
  await git("config", "--global", "credential.useHttpPath", "true");

  Object.assign(host.env, { GITHUB_APP_REPOSITORIES: "acme/site" });
  expect(await lsRemote()).toMatchObject({ exitCode: 0 });
  Object.assign(host.env, { GITHUB_APP_REPOSITORIES: "acme/tools" });
  expect(await lsRemote()).toMatchObject({ exitCode: 128 });
});

test("an expired token is refreshed on the way, and git notices nothing", async () => {
  await using real = await createRealGit();
  real.host.hold(exampleToken, -1);

  expect(await real.lsRemote()).toMatchObject({ exitCode: 0, stderr: "" });

  expect(real.host.log()).toMatchObject([{ trigger: "git", ok: true }]);
});

test("a revoked token fails one command, and the next one works", async () => {
  await using real = await createRealGit();
  const { host, lsRemote } = real;
  await host.refresh();
  const revoked = host.heldToken();
  host.github.revoke(revoked);

  expect(await lsRemote()).toMatchObject({ exitCode: 128 });
  expect([host.marked(), host.answered()]).toEqual([[sha256(revoked)], []]);

  expect(await lsRemote()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(host.heldToken()).not.toBe(revoked);
  expect(host.marked()).toEqual([sha256(revoked)]); // it is no good for two hours, wherever it may turn up
});

test("where there is no token, git asks the next helper and says why ours had none", async () => {
  await using real = await createRealGit();
  const { host, server, lsRemote } = real;
  const fallback = '!f() { test "$1" != get || printf "username=alice\\npassword=pat-of-alice\\n"; }; f';
  await addHelper(host, server.url, fallback);
  host.github.refuse("suspended", { times: 99 });

  const { exitCode, stderr } = await lsRemote();

  expect(exitCode).toBe(0);
  expect(stderr).toMatch(/^git-credential-ghauth: there is no valid GitHub token: .*suspended.*\n$/);
  expect(server.requests.map(({ username, status }) => ({ username, status }))).toContainEqual({
    username: "alice",
    status: 200,
  });
});

test("a PAT that GitHub refuses does not mark our token", async () => {
  await using real = await createRealGit();
  const { host, server, lsRemote } = real;
  await host.refresh();
  await host.run(["git", "config", "--global", "--unset-all", `credential.${server.url}.helper`]);
  await addHelper(
    host,
    server.url,
    '!f() { test "$1" != get || printf "username=bob\\npassword=wrong\\n"; }; f',
  );
  await addHelper(host, server.url, "ghauth");

  expect(await lsRemote()).toMatchObject({ exitCode: 128 });

  expect(host.marked()).toEqual([]);
});
