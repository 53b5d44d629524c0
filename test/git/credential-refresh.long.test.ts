import { once } from "node:events";
import { createServer } from "node:http";
import { existsSync, rmSync } from "node:fs";
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
import { markRefused } from "../../src/token/token-marks.js";
import { Secret } from "../../src/token/secret.js";
import { installation } from "../support/machine.js";
import { needs } from "../support/needs.js";

const input = ask();

const expiryOf = (host: GitHost) =>
  Number(/^GITHUB_TOKEN_EXPIRES_EPOCH=(\d+)$/m.exec(host.read(host.paths.tokenEnvFile))?.[1]);

describe.each(shells)("under $shell", ({ shell, words }) => {
  test.for(["hold", "publish"] as const)(
    "a token with 5 minutes left is answered as it is, one with less after a refresh (%s)",
    async (way, context) => {
      needs(context, shell);
      await using host = await createGitHost();
      const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75) };
      const get = async (seconds: number) => {
        const epoch = host[way](exampleToken, seconds);
        const { stdout } = await host.helper(["get"], { words, env, input });
        return { isAnswered: stdout === answerOf(exampleToken, epoch), seen: fakeRuns(host).at(-1), epoch };
      };

      expect(await get(330)).toMatchObject({ isAnswered: true, seen: undefined });
      const { epoch, ...outcome } = await get(298);
      expect(outcome).toEqual({ isAnswered: true, seen: `git ${epoch}` });
    },
  );

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
    expect(failed.stderr).toMatch(/: password=\[redacted\]\n$/);

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
      /the refresh script .*\/nowhere is not there\. Install it, or set GHAUTH_REFRESH_SCRIPT\.\n$/,
    );
  });

  test("a token that was marked as refused is refreshed first, and not answered where that fails", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    host.write(join(host.marks, sha256(exampleToken)), "");

    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, "GitHub is down.") };
    expect(await host.helper(["get"], { words, env, input })).toMatchObject({ exitCode: 1, stdout: "" });

    const { stdout } = await host.helper(["get"], { words, input });
    expect(stdout).toBe(answerOf(host.github.liveTokens[0], expiryOf(host)));
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

/** A node that notes each start of it. */
function countingNode(host: GitHost) {
  const path = join(host.home, "counting node");
  host.write(path, `#!/bin/sh\necho "$1" >>"$HOME/nodes"\nexec '${process.execPath}' "$@"\n`, 0o755);
  return { GHAUTH_NODE: path };
}

test.for([
  ["expired", (host: GitHost) => host.hold(exampleToken, -1)],
  ["expired, with its answer", (host: GitHost) => host.publish(exampleToken, -1)],
  ["missing", () => {}],
  [
    "refused",
    (host: GitHost) => host.hold(exampleToken, 3000) && markRefused(new Secret(exampleToken), host.marks),
  ],
] as const)(
  "200 at once on a token that is %s mint once, and start few Nodes",
  async ([, prepare], context) => {
    needs(context, "flock");
    await using host = await createGitHost();
    const env = countingNode(host);
    prepare(host);

    const results = await Promise.all(
      Array.from({ length: 200 }, async () => host.helper(["get"], { env, input })),
    );

    expect(host.github.mints).toBe(1);
    const answer = answerOf(host.github.liveTokens[0], expiryOf(host));
    expect(results.filter(({ stdout }) => stdout !== answer)).toEqual([]);
    expect(host.read(join(host.home, "nodes")).trim().split("\n").length).toBeLessThanOrEqual(4);
  },
);

test("who waited for another git's refresh shares its failure instead of trying again", async (context) => {
  needs(context, "flock");
  await using host = await createGitHost();
  host.hold(exampleToken, -1);
  host.github.suspend(installation.id);
  const letGo = host.github.hold();
  const { stdout: flock } = await host.run(["sh", "-c", "command -v flock"]);
  const asked = join(host.home, "asked flock");
  // Those who wait have nothing more to do before they are told to go on.
  host.write(
    join(host.home, "bin/flock"),
    `#!/bin/sh\n[ "$*" != 9 ] || echo >>'${asked}'\nexec ${flock.trim()} "$@"\n`,
    0o755,
  );
  const env = { PATH: `${host.home}/bin:${host.env["PATH"]}` };

  const running = Promise.all([1, 2, 3].map(async () => host.helper(["get"], { env, input })));
  await expect.poll(() => existsSync(asked) && host.read(asked)).toBe("\n\n\n");
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

test("the helper waits for the refresh script, and not for what that leaves behind", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, -1);
  const script = join(host.home, "leaves something");
  const child = 'setsid sh -c "echo \\$\\$ >left; exec sleep 600" &';
  host.write(script, `#!/bin/sh\n${child}\n'${host.paths.refreshScript}' --force\n`, 0o755);

  const { stdout } = await host.helper(["get"], { input, env: { GHAUTH_REFRESH_SCRIPT: script } });

  expect(stdout).toBe(answerOf(host.github.liveTokens[0], expiryOf(host)));
  await expect.poll(() => existsSync(join(host.home, "left"))).toBe(true);
  process.kill(Number(host.read(join(host.home, "left"))), "SIGKILL"); // it is there still
});

test("a token env file above 64 KiB is not read", async () => {
  await using host = await createGitHost();
  const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75, "GitHub is down.") };
  const epoch = host.hold(exampleToken, 3000);
  const text = host.read(host.paths.tokenEnvFile);

  host.write(host.paths.tokenEnvFile, text.padEnd(65_536, "\n"));
  expect(await host.helper(["get"], { env, input })).toMatchObject({ stdout: answerOf(exampleToken, epoch) });
  host.write(host.paths.tokenEnvFile, text.padEnd(65_537, "\n"));
  expect(await host.helper(["get"], { env, input })).toMatchObject({ exitCode: 1, stdout: "" });
});
