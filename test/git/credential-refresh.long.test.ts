import { once } from "node:events";
import { createServer } from "node:http";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  answerOf,
  ask,
  createGitHost,
  exampleToken,
  fakeRefreshScript,
  fakeRuns,
  type GitHost,
  shells,
  sha256,
} from "../support/git-host.js";
import { installation } from "../support/machine.js";
import { needs } from "../support/needs.js";

const input = ask();

const expiryOf = (host: GitHost) =>
  Number(/^GITHUB_TOKEN_EXPIRES_EPOCH=(\d+)$/m.exec(host.read(host.paths.tokenEnvFile))?.[1]);

describe.each(shells)("under $shell", ({ shell, words }) => {
  test("a token with 5 minutes left is answered as it is, one with less after a refresh", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };
    const get = async (seconds: number) => {
      const epoch = host.hold(exampleToken, seconds);
      const { stdout } = await host.helper(["get"], { words, env, input });
      return { isAnswered: stdout === answerOf(exampleToken, epoch), seen: fakeRuns(host).at(-1), epoch };
    };

    expect(await get(330)).toMatchObject({ isAnswered: true, seen: undefined });
    const { epoch, ...outcome } = await get(298);
    expect(outcome).toEqual({ isAnswered: true, seen: `git ${epoch}` });
  });

  test("an expired token is never answered: the refresh script runs once, and its token is", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, -1);

    const { exitCode, stdout, stderr } = await host.helper(["get"], { words, input });

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toBe(answerOf(host.github.liveTokens[0], expiryOf(host)));
    expect(host.log()).toMatchObject([{ trigger: "git", ok: true }]);
    expect((await host.helper(["get"], { words, input })).stdout).toBe(stdout);
    expect(host.github.mints).toBe(1);
  });

  test("a missing file, one without a token and one without an expiry are refreshed", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };
    const texts = [
      null,
      "",
      "GITHUB_TOKEN=\n",
      "GITHUB_TOKEN=two words\nGITHUB_TOKEN_EXPIRES_EPOCH=99999999999\n",
      `GITHUB_TOKEN=${exampleToken}\nGITHUB_TOKEN_EXPIRES_EPOCH=soon\n`,
    ];
    for (const text of texts) {
      rmSync(host.paths.tokenEnvFile, { force: true });
      if (text !== null) host.write(host.paths.tokenEnvFile, text);
      rmSync(join(host.home, "ran"), { force: true });
      await host.helper(["get"], { words, env, input });
      expect({ text, runs: fakeRuns(host).length }).toEqual({ text, runs: 1 });
    }
  });

  test("where a refresh fails, a token with 30 s is answered all the same", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    for (const code of [75, 78, 1]) {
      const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, code, "GitHub is down.") };
      const epoch = host.hold(exampleToken, 60);
      expect(await host.helper(["get"], { words, env, input })).toMatchObject({
        exitCode: 0,
        stdout: answerOf(exampleToken, epoch),
        stderr: "",
      });
    }
  });

  test("without a usable token git is told nothing, the operator one sentence", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, "GitHub is down: try again.") };
    const refusal = {
      exitCode: 1,
      signal: null,
      stdout: "",
      stderr: "git-credential-ghauth: there is no valid GitHub token: GitHub is down: try again.\n",
    };

    for (const seconds of [28, 0, -100]) {
      host.hold(exampleToken, seconds);
      expect(await host.helper(["get"], { words, env, input })).toEqual(refusal);
      expect(await host.helper(["token"], { words, env })).toEqual(refusal);
    }
  });

  test("nothing that a refresh script prints reaches git, and a token that it prints nobody", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, -1);

    const says = `password=${exampleToken}`;
    const failed = await host.helper(["get"], {
      words,
      input,
      env: { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, says) },
    });
    expect(failed).toMatchObject({ exitCode: 1, stdout: "" });
    expect(failed.stderr).toMatch(/failed, and what it said holds a token\.\n$/);

    const idle = await host.helper(["get"], {
      words,
      input,
      env: { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 0, says) },
    });
    expect(idle).toMatchObject({ exitCode: 1, stdout: "" });
    expect(idle.stderr).toMatch(/ended well, but .* holds no token that can be used\.\n$/);
  });

  test("a refresh script that is not there is named, and what to do", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const env = { GHAUTH_REFRESH_SCRIPT: join(host.home, "nowhere") };

    const { exitCode, stdout, stderr } = await host.helper(["get"], { words, env, input });

    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
    expect(stderr).toMatch(
      /the refresh script .*\/nowhere is not there .*: install it, or set GHAUTH_REFRESH_SCRIPT\.\n$/,
    );
  });

  test("a token that was marked as refused is refreshed first, and not answered where that fails", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    host.write(host.mark, `${sha256(exampleToken)}\n`);

    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, "GitHub is down.") };
    expect(await host.helper(["get"], { words, env, input })).toMatchObject({ exitCode: 1, stdout: "" });

    const { stdout } = await host.helper(["get"], { words, input });
    expect(stdout).toBe(answerOf(host.github.liveTokens[0], expiryOf(host)));
    expect(host.readMark()).toBe(null);
  });
});

test("the script on PATH is used where bootstrap installed none", async () => {
  await using host = await createGitHost();
  rmSync(host.paths.refreshScript);
  const script = fakeRefreshScript(host, 75);
  host.write(join(host.home, "bin/takopi-refresh-github-token"), `#!/bin/sh\nexec '${script}'\n`, 0o755);

  await host.helper(["get"], { env: { PATH: `${host.home}/bin:${host.env["PATH"]}` }, input });

  expect(fakeRuns(host)).toEqual(["git"]);
});

test("200 at once on an expired token mint once", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, -1);

  const results = await Promise.all(Array.from({ length: 200 }, async () => host.helper(["get"], { input })));

  expect(host.github.mints).toBe(1);
  const answer = answerOf(host.github.liveTokens[0], expiryOf(host));
  expect(results.filter(({ stdout }) => stdout !== answer)).toEqual([]);
}, 60_000);

test("who waited for another git's refresh shares its failure instead of trying again", async (context) => {
  needs(context, "flock");
  await using host = await createGitHost();
  host.hold(exampleToken, -1);
  const { ino } = statSync(host.paths.tokenEnvFile);
  host.github.suspend(installation.id);
  const letGo = host.github.hold();

  const running = Promise.all([1, 2, 3].map(async () => host.helper(["get"], { input })));
  const waiting = () => readFileSync("/proc/locks", "utf8").match(new RegExp(`-> FLOCK .*:${ino} `, "g"));
  await expect.poll(() => waiting()?.length, { timeout: 10_000, interval: 20 }).toBe(2);
  letGo();

  const said = (await running).map(({ exitCode, stderr }) => ({ exitCode, stderr }));
  expect(said[0]).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("suspended") });
  expect(said).toEqual([said[0], said[0], said[0]]);
  expect(host.log()).toHaveLength(1);
});

test("a host without a key gets its tokens from a broker", async () => {
  await using host = await createGitHost();
  await host.refresh();
  const token = host.heldToken();
  const broker = createServer((request, response) => {
    const isKnown = request.headers.authorization === "Bearer example-bearer";
    response.writeHead(isKnown ? 200 : 401, { "content-type": "application/json" });
    response.end(JSON.stringify({ token, expires_at: new Date(Date.now() + 3_000_000).toISOString() }));
  });
  broker.listen(0, "127.0.0.1");
  await once(broker, "listening");
  const address = broker.address();
  const port = typeof address === "object" ? address?.port : undefined;
  try {
    rmSync(host.paths.privateKey);
    rmSync(host.paths.tokenEnvFile);
    const bearer = join(host.home, ".config/takopi/broker-token");
    host.write(bearer, "example-bearer\n");
    host.write(
      host.paths.appEnvFile,
      `GITHUB_TOKEN_SOURCE=broker\nGHAUTH_BROKER_URL=http://127.0.0.1:${port}\nGHAUTH_BROKER_TOKEN_FILE=${bearer}\nGITHUB_API_URL=${host.baseUrl}\nGH_AUTH=off\n`,
    );

    const { stdout, stderr } = await host.helper(["get"], { input });

    expect({ stdout, stderr }).toEqual({ stdout: answerOf(token, expiryOf(host)), stderr: "" });
  } finally {
    broker.close();
  }
});
