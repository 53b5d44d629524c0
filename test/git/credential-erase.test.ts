import { readdirSync, rmSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { answerOf, ask, createGitHost, exampleToken, shells, sha256 } from "../support/git-host.js";
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

    expect(host.readMark()).toBe(`${sha256(exampleToken)}\n`);
    expect(statSync(host.mark).mode & 0o777).toBe(0o600);
    expect(statSync(dirname(host.mark)).mode & 0o777).toBe(0o700);
    expect(readdirSync(dirname(host.mark))).toEqual(["refused-token"]);
    expect(host.read(host.paths.tokenEnvFile)).toBe(before);
  });

  test("erase of another password, of none, or for another host changes nothing", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    host.hold(exampleToken, 3000);
    const inputs = [
      erased("github_pat_of_somebody"),
      erased(exampleToken.slice(0, -1)),
      erased(""),
      erased("*"),
      erased(exampleToken, "gitlab.example"),
      ask(),
      "",
    ];
    for (const input of inputs) expect(await host.helper(["erase"], { words, input })).toEqual(silence);
    rmSync(host.paths.tokenEnvFile);
    expect(await host.helper(["erase"], { words, input: erased("") })).toEqual(silence);

    expect(host.readMark()).toBe(null);
  });

  test("the mark of a token that was replaced is forgotten", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const epoch = host.hold(exampleToken, 3000);
    host.write(host.mark, `${sha256("ghs_another")}\n`);

    const { stdout } = await host.helper(["get"], { words, input: ask() });

    expect(stdout).toBe(answerOf(exampleToken, epoch));
    expect(host.readMark()).toBe(null);
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

  expect(host.read(join(host.home, "state of xdg/takopi/refused-token"))).toBe(`${sha256(exampleToken)}\n`);
});

test("a mark that cannot be written is said", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const env = { XDG_STATE_HOME: host.paths.tokenEnvFile }; // a file where a directory should be

  const { exitCode, stdout, stderr } = await host.helper(["erase"], { env, input: erased(exampleToken) });

  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: "" });
  expect(stderr).toMatch(/GitHub refused the token, and .*refused-token cannot be written/);
});

test("a token marked as refused is no longer one that another run has just published", async () => {
  await using host = await createGitHost();
  await host.refresh();
  const first = host.heldToken() ?? "";
  const env = { GHAUTH_SEEN_EPOCH: "1" };

  expect((await host.refresh({ env })).stdout).toMatch(/nothing to do/);
  await host.helper(["erase"], { input: erased(first) });
  expect((await host.refresh({ env })).stdout).toMatch(/^Refreshed/);

  expect(host.heldToken()).not.toBe(first);
});
