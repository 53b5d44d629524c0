import { readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ask, createGitHost, exampleToken, fakeRefreshScript, shells, sha256 } from "../support/git-host.js";
import { needs } from "../support/needs.js";

const silence = { exitCode: 0, signal: null, stdout: "", stderr: "" };
const erased = (password: string, host = "github.com") =>
  ask(host, "username=x-access-token", `password=${password}`, "password_expiry_utc=1800000000");

describe.each(shells)("under $shell", ({ shell, words }) => {
  test("erase marks the token that this host holds as refused, and leaves its file alone", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    const before = host.read(host.paths.tokenEnvFile);

    expect(await host.helper(["erase"], { words, input: erased(exampleToken) })).toEqual(silence);

    expect(host.marked()).toEqual([sha256(exampleToken)]);
    const { size, mode } = statSync(join(host.marks, sha256(exampleToken)));
    expect([size, mode & 0o777, statSync(host.marks).mode & 0o777]).toEqual([0, 0o600, 0o700]);
    expect(host.read(host.paths.tokenEnvFile)).toBe(before);
  });

  test("erase of another password, of none, or for another host changes nothing", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    const inputs = [
      erased("github_pat_of_somebody"),
      erased(exampleToken.slice(0, -1)),
      erased(exampleToken.padEnd(1_000_000, "a")),
      erased(""),
      erased("*"),
      erased(exampleToken, "gitlab.example"),
      ask(),
      "",
    ];
    for (const input of inputs) expect(await host.helper(["erase"], { words, input })).toEqual(silence);
    rmSync(host.paths.tokenEnvFile);
    expect(await host.helper(["erase"], { words, input: erased("") })).toEqual(silence);

    expect(host.marked()).toEqual([]);
  });

  test("erase removes the answers with that token, and leaves those with another", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.publish(exampleToken, 3000, ["github.com", "ghe.example:8443"]);
    const answer = host.read(join(host.answers, "github.com"));
    host.write(join(host.answers, "other.example"), answer.replace(exampleToken, "ghs_another"));

    await host.helper(["erase"], { words, input: erased(exampleToken) });

    expect(host.answered()).toEqual(["other.example"]);
  });

  test("a token stays marked while others are, and for 2 hours", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    for (const token of [exampleToken, "ghs_another"]) {
      host.hold(token, 3000);
      await host.helper(["erase"], { words, input: erased(token) });
    }
    expect(host.marked().sort()).toEqual([sha256(exampleToken), sha256("ghs_another")].sort());

    const longAgo = new Date(Date.now() - 7_260_000);
    utimesSync(join(host.marks, sha256(exampleToken)), longAgo, longAgo);
    host.hold("ghs_third", 3000);
    await host.helper(["erase"], { words, input: erased("ghs_third") });

    expect(host.marked().sort()).toEqual([sha256("ghs_another"), sha256("ghs_third")].sort());
  });

  test("store keeps nothing", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const stored = erased("github_pat_of_somebody");

    expect(await host.helper(["store"], { words, input: stored })).toEqual(silence);
    expect(readdirSync(join(host.home, ".config/takopi")).sort()).toEqual([
      "github-app.env",
      "github-app.pem",
    ]);
  });
});

test("XDG_STATE_HOME moves the mark", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const env = { XDG_STATE_HOME: join(host.home, "state of xdg") };

  await host.helper(["erase"], { env, input: erased(exampleToken) });

  expect(readdirSync(join(host.home, "state of xdg/takopi/refused"))).toEqual([sha256(exampleToken)]);
});

test("a mark that cannot be written is said", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const env = { XDG_STATE_HOME: host.paths.tokenEnvFile }; // a file where a directory should be

  const { exitCode, stdout, stderr } = await host.helper(["erase"], { env, input: erased(exampleToken) });

  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/GitHub refused the token, and its mark .*refused\/[0-9a-f]{64} cannot be written/);
});

test("a token marked as refused is no longer one that another run has just published", async () => {
  await using host = await createGitHost();
  await host.refresh();
  const first = host.heldToken();
  const env = { GHAUTH_SEEN_EPOCH: "1" };

  expect((await host.refresh({ env })).stdout).toMatch(/nothing to do/);
  await host.helper(["erase"], { input: erased(first) });
  expect((await host.refresh({ env })).stdout).toMatch(/^Refreshed/);

  expect(host.heldToken()).not.toBe(first);
});

test("_invalidate_cache marks the held token as one to be replaced, whoever asks next", async () => {
  await using host = await createGitHost();
  expect(await host.helper(["_invalidate_cache"])).toEqual(silence);
  await host.refresh();
  const first = host.heldToken() ?? "";

  expect(await host.helper(["_invalidate_cache"])).toEqual(silence);

  expect([host.marked(), host.answered()]).toEqual([[sha256(first)], []]);
  expect((await host.helper(["_fetch_token"])).stdout).toBe(`${host.heldToken()}\n`);
  expect(host.heldToken()).not.toBe(first);
});

test("_refresh_gh runs the refresh script with --force, and passes its words and code on", async () => {
  await using host = await createGitHost();
  await host.refresh();

  const refreshed = await host.helper(["_refresh_gh"]);
  expect(refreshed).toMatchObject({ exitCode: 0, stdout: "", stderr: expect.stringMatching(/^Refreshed: /) });
  expect(host.github.mints).toBe(2);

  for (const code of [75, 78]) {
    const env = { GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, code, "GitHub is down.") };
    expect(await host.helper(["_refresh_gh"], { env })).toMatchObject({
      exitCode: code,
      stderr: "GitHub is down.\n",
    });
  }
  const env = { GHAUTH_REFRESH_SCRIPT: "/nonexistent/script" };
  expect(await host.helper(["_refresh_gh"], { env })).toMatchObject({
    exitCode: 78,
    stderr: expect.stringMatching(/the refresh script \/nonexistent\/script is not there/),
  });
});
