import { existsSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { publish } from "../../src/refresh/publish.js";
import { markRefused } from "../../src/token/token-marks.js";
import { Secret } from "../../src/token/secret.js";
import {
  answerOf,
  ask,
  createGitHost,
  exampleToken,
  type GitHost,
  sha256,
  shells,
} from "../support/git-host.js";
import { needs } from "../support/needs.js";

const stateOf = (host: GitHost) => join(host.home, ".local/state/takopi");

/** Settings besides those that every machine has. */
const addSettings = (host: GitHost, ...lines: string[]) =>
  host.write(host.paths.appEnvFile, `${host.read(host.paths.appEnvFile)}${lines.join("\n")}\n`);

const standInOf = (host: GitHost) => new URL(host.baseUrl).host;

const expiryOf = (host: GitHost) =>
  Number(/^GITHUB_TOKEN_EXPIRES_EPOCH=(\d+)$/m.exec(host.read(host.paths.tokenEnvFile))?.[1]);

describe("a publish", () => {
  test("leaves git's answer ready for each host, whole and for this user alone", async () => {
    await using host = await createGitHost();
    addSettings(host, "GHAUTH_HOSTS=GHE.example, git.example:8443 [::1]:8443 .. ../odd");

    await host.refresh();

    expect(host.answered()).toEqual(
      [standInOf(host), "ghe.example", "git.example:8443", "github.com"].sort(),
    );
    for (const name of host.answered()) {
      const path = join(host.answers, name);
      expect(host.read(path)).toBe(
        `# ${expiryOf(host)} ${host.paths.tokenEnvFile}\n` +
          `username=x-access-token\npassword=${host.heldToken()}\npassword_expiry_utc=${expiryOf(host)}\n`,
      );
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect(statSync(host.answers).mode & 0o777).toBe(0o700);
  });

  test("removes the answers of hosts that are no longer ours", async () => {
    await using host = await createGitHost();
    const before = host.read(host.paths.appEnvFile);
    addSettings(host, "GHAUTH_HOSTS=ghe.example");
    await host.refresh();
    expect(host.answered()).toContain("ghe.example");

    host.write(host.paths.appEnvFile, before);
    await host.refresh();

    expect(host.answered()).toEqual([standInOf(host), "github.com"].sort());
  });

  test("takes hosts and token env file from github-app.env, whatever the environment says", async () => {
    await using host = await createGitHost();
    await host.refresh({ env: { GHAUTH_HOSTS: "of.the.moment", TOKEN_ENV_FILE: host.paths.tokenEnvFile } });
    expect(host.answered()).toEqual([standInOf(host), "github.com"].sort());

    addSettings(host, "TOKEN_ENV_FILE=~/moved token.env");
    await host.refresh();
    expect(host.read(join(host.answers, "github.com"))).toMatch(
      new RegExp(`^# \\d+ ${join(host.home, "moved token.env")}\n`),
    );
  });

  test("to another token env file than the configured one writes none, the chat's refresh included", async () => {
    await using host = await createGitHost();
    const other = join(host.home, "other.env");
    await host.refresh({ env: { TOKEN_ENV_FILE: other } });
    expect([existsSync(other), host.answered()]).toEqual([true, []]);

    host.write(host.paths.takopiConfig, `[plugins.ghauth]\ntoken_env_file = "${other}"\n`);
    rmSync(other);
    expect((await host.ghauth(["refresh"])).exitCode).toBe(0);
    expect([existsSync(other), host.answered()]).toEqual([true, []]);

    host.write(host.paths.takopiConfig, "");
    expect((await host.ghauth(["refresh"])).exitCode).toBe(0);
    expect(host.answered()).toContain("github.com");
  });

  test("is not lost where no answer can be written, and says so", async () => {
    await using host = await createGitHost();
    host.write(host.answers, "a file where a directory should be");

    const { exitCode, stdout } = await host.refresh();

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Refreshed: .*; warning: git's answers in .*\/git cannot be written: /);
    expect((await host.helper(["get"], { input: ask() })).stdout).toBe(
      answerOf(host.heldToken(), expiryOf(host)),
    );
  });

  test("of a token that was marked meanwhile leaves no answers, of one that works no mark", async () => {
    await using host = await createGitHost();
    const [secret, expiresAt] = [new Secret(exampleToken), new Date(Date.now() + 3_000_000)];
    const hosts = ["github.com"];
    const to = {
      tokenEnvFile: host.paths.tokenEnvFile,
      refusedTokens: host.marks,
      answerFiles: {
        directory: host.answers,
        tokenEnvFile: host.paths.tokenEnvFile,
        get hosts() {
          // What a publish asks for after it has forgotten the mark, and before it writes the answers.
          markRefused(secret, host.marks);
          return hosts;
        },
      },
      gh: null,
    };
    const deps = { env: host.env, timeoutMs: 1000, now: new Date() };

    await publish(deps, to, { secret, expiresAt });
    expect([host.marked(), host.answered()]).toEqual([[sha256(exampleToken)], []]);

    await publish(
      deps,
      { ...to, answerFiles: { directory: host.answers, tokenEnvFile: host.paths.tokenEnvFile, hosts } },
      { secret, expiresAt },
    );
    expect([host.marked(), host.answered()]).toEqual([[], hosts]);
  });

  test("sweeps the marks that are older than 2 hours", async () => {
    await using host = await createGitHost();
    for (const [token, minutes] of [
      ["ghs_old_enough", 121],
      ["ghs_too_young", 119],
    ] as const) {
      host.write(join(host.marks, sha256(token)), "");
      const at = new Date(Date.now() - minutes * 60_000);
      utimesSync(join(host.marks, sha256(token)), at, at);
    }

    await host.refresh();

    expect(host.marked()).toEqual([sha256("ghs_too_young")]);
  });
});

describe.each(shells)("under $shell a ready answer", ({ shell, words }) => {
  /** A host that has an answer for one token ready, while its token env file, wherever it is, holds another. */
  async function createHostWithBoth() {
    const host = await createGitHost();
    const epoch = host.publish("ghs_of_the_answer", 3000, ["github.com", "ghe.example", "git.example:8443"]);
    const text = host.read(host.paths.tokenEnvFile).replaceAll("ghs_of_the_answer", exampleToken);
    host.write(host.paths.tokenEnvFile, text);
    const before = new Date(Date.now() - 60_000);
    utimesSync(host.paths.tokenEnvFile, before, before);
    const get = async (env: Record<string, string> = {}, input = ask()) => {
      const { stdout } = await host.helper(["get"], { words, env, input });
      if (stdout === answerOf("ghs_of_the_answer", epoch)) return "ready";
      return stdout === answerOf(exampleToken, epoch) ? "read anew" : stdout;
    };
    return Object.assign(host, { epoch, get });
  }

  test("is given, by host and port", async (context) => {
    needs(context, shell);
    await using host = await createHostWithBoth();

    expect(await host.get()).toBe("ready");
    expect(await host.get({}, ask("ghe.example"))).toBe("ready");
    expect(await host.get({}, ask("git.example:8443"))).toBe("ready");
    expect(await host.get({ TOKEN_ENV_FILE: host.paths.tokenEnvFile })).toBe("ready");
    expect(await host.get({ GHAUTH_HOSTS: "ghe.example" }, ask("git.example:8443"))).toBe("");
    expect(await host.get({ GHAUTH_HOSTS: "ghe.example" }, ask("ghe.example"))).toBe("read anew");
    expect(await host.get({}, ask("GitHub.com"))).toBe("read anew");
    expect(await host.get({}, ask("github.com", "path=acme/site.git"))).toBe("read anew");
  });

  test("does not count where the token env file is newer, is another one or is gone", async (context) => {
    needs(context, shell);
    await using host = await createHostWithBoth();
    const failing = { GHAUTH_REFRESH_SCRIPT: "/nonexistent" };
    const other = join(host.home, "other.env");
    host.write(other, host.read(host.paths.tokenEnvFile));
    expect(await host.get({ TOKEN_ENV_FILE: other })).toBe("read anew");
    expect(await host.get({ TOKEN_ENV_FILE: "~/other.env" })).toBe("read anew");
    host.write(join(host.home, "xdg/takopi/github-token.env"), host.read(other));
    expect(await host.get({ XDG_CONFIG_HOME: join(host.home, "xdg") })).toBe("read anew");

    const later = new Date(statSync(join(host.answers, "github.com")).mtimeMs + 2000);
    utimesSync(join(host.answers, "github.com"), new Date(0), new Date(0));
    expect(await host.get()).toBe("read anew");
    utimesSync(join(host.answers, "github.com"), later, later);
    expect(await host.get()).toBe("ready");
    rmSync(host.paths.tokenEnvFile);
    expect(await host.get(failing)).toBe("");
  });

  test("does not count where the clock was set back since the token was written", async (context) => {
    needs(context, shell);
    await using host = await createHostWithBoth();
    const ahead = new Date(Date.now() + 120_000);
    utimesSync(join(host.answers, "github.com"), ahead, ahead);
    utimesSync(host.paths.tokenEnvFile, ahead, ahead);

    expect(await host.get()).toBe("read anew");
  });

  test("that is damaged does not count", async (context) => {
    needs(context, shell);
    await using host = await createHostWithBoth();
    const path = join(host.answers, "github.com");
    const [head = "", ...lines] = host.read(path).split("\n");
    const damaged = [
      "",
      head,
      [head, ...lines.slice(0, 2)].join("\n"),
      [head.replace("#", ""), ...lines].join("\n"),
      ["# soon /nowhere", ...lines].join("\n"),
      [head.replace(/\d+/, "0x7fffffff"), ...lines].join("\n"),
      [head.replace(/\d+/, "0777777777777777"), ...lines].join("\n"),
      [head.replace(/\d+/, "99999999999999999999"), ...lines].join("\n"),
      [head.replace(/\d+/, "$(touch touched)"), ...lines].join("\n"),
      [head.replace(/ \/.*/, " relative.env"), ...lines].join("\n"),
    ];
    for (const text of damaged) {
      host.write(path, text);
      expect([text, await host.get()]).toEqual([text, "read anew"]);
    }
    rmSync(path);
    expect(await host.get()).toBe("read anew");
    host.write(join(path, "below"), "");
    expect(await host.get()).toBe("read anew");
    expect(existsSync(join(host.home, "touched"))).toBe(false);
  });
});

test("the program gets what git said on its standard input, and by no other way", async () => {
  await using host = await createGitHost();
  const node = join(host.home, "noting node");
  host.write(node, '#!/bin/sh\nprintf "%s|" "$@" >args\nenv >environment\ncat >input\n', 0o755);
  const password = `${exampleToken}$(touch touched)\`id\`\\`;
  const input = `protocol=https\nwwwauth[]=Basic\nhost=github.com\npath=acme/site\nusername=alice\npassword=${password}\n\n`;

  for (const action of ["get", "erase"]) {
    await host.helper([action], { env: { GHAUTH_NODE: node, NODE_DEBUG: "http" }, input });

    const [args, environment, given] = ["args", "environment", "input"].map((name) =>
      readFileSync(join(host.home, name), "utf8"),
    );
    expect(args).toMatch(new RegExp(`^[^|]*/dist/git/main.cjs\\|${action}\\|$`));
    expect(environment).not.toMatch(/ghs_|alice|NODE_DEBUG/);
    expect(given).toBe(
      `protocol=https\nhost=github.com\npath=acme/site\nusername=alice\npassword=${password}\n`,
    );
  }
  expect(existsSync(join(host.home, "touched"))).toBe(false);
});

test("a node that is not there is named, and git, which gets no answer, asks its next helper", async () => {
  await using host = await createGitHost();
  const env = { GHAUTH_NODE: "/nonexistent/node" };

  expect(await host.helper(["get"], { env, input: ask() })).toMatchObject({
    exitCode: 78,
    stdout: "",
    stderr: expect.stringMatching(
      /^Node was not found \(\/nonexistent\/node\): install it, or set GHAUTH_NODE/,
    ),
  });
});

test("a state directory that cannot be written costs no answer", async () => {
  await using host = await createGitHost();
  const epoch = host.hold(exampleToken, 3000);
  host.write(join(stateOf(host), "git.lock/below"), "");
  expect((await host.helper(["get"], { input: ask() })).stdout).toBe(answerOf(exampleToken, epoch));
  rmSync(stateOf(host), { recursive: true });
  host.write(stateOf(host), "a file where a directory should be");

  const result = await host.helper(["get"], { input: ask() });

  rmSync(stateOf(host));
  expect(result).toEqual({ exitCode: 0, signal: null, stdout: answerOf(exampleToken, epoch), stderr: "" });
});
