import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { mintToken, startGitHub } from "./example-github.js";

const isMissing = spawnSync("gh", ["--version"]).error !== undefined;

test("gh logs in with a live token and not with a dead one", async ({ skip }) => {
  // On a build machine a missing gh fails the test, so that nobody overlooks that it did not run.
  skip(isMissing && process.env["CI"] !== "true", "gh is not installed");
  await using example = await startGitHub();
  const home = await mkdtemp(join(tmpdir(), "ghauth-gh-"));
  onTestFinished(() => rm(home, { recursive: true }));
  const socketPath = await example.github.listen({ socketPath: join(home, "github.sock") });
  await writeFile(join(home, "config.yml"), `http_unix_socket: ${socketPath}\n`);
  const logIn = (token: string) =>
    execa("gh", ["auth", "login", "--hostname", "github.com", "--with-token"], {
      input: token,
      reject: false,
      extendEnv: false,
      env: { PATH: process.env["PATH"], HOME: home, GH_CONFIG_DIR: home },
    });
  const token = await mintToken(example.baseUrl);

  expect(await logIn(token)).toMatchObject({ exitCode: 0, stdout: "" });

  example.github.revoke(token);
  const refused = await logIn(token);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toContain("HTTP 401: Bad credentials");
});
