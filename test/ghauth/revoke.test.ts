import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import type { CommandContext, Reply } from "../../src/takopi/command-backend.js";
import { terminalChannel } from "../../src/takopi/command-backend.js";
import { startProgram } from "../support/live-program.js";
import { createMachine, executables } from "../support/machine.js";
import { isInstalled, isSkipped, makeDirectory } from "../support/programs.js";

const start = new Date("2026-11-25T12:00:00Z");

/** A host whose script writes down how it was run. */
function createHost() {
  const home = makeDirectory();
  const script = join(home, "script");
  const log = join(home, "ran");
  writeFileSync(
    script,
    `#!/bin/sh\necho "$* by=$GHAUTH_BY trigger=$GHAUTH_TRIGGER" >>'${log}'\necho Refreshed.\n`,
  );
  chmodSync(script, 0o755);
  const asked = join(home, ".local/state/takopi/revoke-asked.json");
  let now = start;
  /** Each is a process of its own, as far as memory goes. */
  const createProcess = (isBrief = false) => {
    const clock = { now: () => now, elapsedMs: () => 0, sleep: async () => {} };
    const command = createGhauthCommand({ clock, env: { PATH: process.env["PATH"], HOME: home }, isBrief });
    const sent: Reply[] = [];
    const say = async (
      text: string,
      who: { sender?: string | null; transport?: string | null; channel?: string } = {},
    ) => {
      const { sender = "42", transport = "telegram", channel = "-5" } = who;
      const context: CommandContext = {
        command: "ghauth",
        text: `/ghauth ${text}`,
        argsText: text,
        args: text.split(" "),
        transport,
        message: { channelId: channel, messageId: "1", threadId: null, senderId: sender, raw: null },
        replyTo: null,
        replyText: null,
        configPath: null,
        pluginConfig: { refresh_script: script },
        executor: {
          send: async (reply) => {
            sent.push(reply);
            return null;
          },
          edit: async () => {},
        },
      };
      return command.handle(context);
    };
    return { say, sent };
  };
  return {
    home,
    asked,
    createProcess,
    pass: (seconds: number) => (now = new Date(now.getTime() + seconds * 1000)),
    runs: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}

const question = `Revoke the GitHub token of ${hostname()}?`;

describe("/ghauth revoke", () => {
  test("asks first, with a button that is the same command, and runs nothing", async () => {
    const host = createHost();
    const reply = await host.createProcess().say("revoke");
    expect(reply).toMatchObject({ title: question, level: "warn", actions: ["revoke"] });
    expect(reply?.text).toMatch(/- To confirm, press Revoke, or send \/ghauth revoke again within 60 s\.$/);
    expect(host.runs()).toEqual([]);
    expect(statSync(host.asked).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(host.asked, "utf8"))).toEqual({ "telegram:42": start.toISOString() });
  });

  test("the same user's second time within a minute runs the script, once, and tells it who asked", async () => {
    const host = createHost();
    const { say, sent } = host.createProcess();
    await say("revoke");
    host.pass(60);
    const reply = await say("Revoke");
    expect(sent.map(({ text }) => text)).toEqual(["Revoking the GitHub token…"]);
    expect(reply).toMatchObject({ title: "Revoke succeeded.", exitCode: 0, tail: "Refreshed." });
    expect(host.runs()).toEqual(["--revoke by=telegram:42 trigger=chat"]);
    expect(await say("revoke")).toMatchObject({ title: question });
    expect(host.runs()).toHaveLength(1);
  });

  test("is confirmed in another process than the one that was asked first", async () => {
    const host = createHost();
    await host.createProcess(true).say("revoke");
    expect(await host.createProcess(true).say("revoke")).toMatchObject({ title: "Revoke succeeded." });
    expect(await host.createProcess(true).say("revoke")).toMatchObject({ title: question });
  });

  test.each<
    [string, Parameters<ReturnType<ReturnType<typeof createHost>["createProcess"]>["say"]>[1], number]
  >([
    ["after more than a minute", {}, 61],
    ["after the clock was set back", {}, -1],
    ["by somebody else", { sender: "43" }, 1],
    ["by the same id of another transport", { transport: "discord" }, 1],
    ["by nobody in particular", { sender: null }, 1],
  ])("%s, it is asked again", async (_when, who, seconds) => {
    const host = createHost();
    const { say } = host.createProcess();
    await say("revoke");
    host.pass(seconds);
    expect(await say("revoke", who)).toMatchObject({ title: question });
    expect(host.runs()).toEqual([]);
  });

  test("what one user asks takes nothing from another", async () => {
    const host = createHost();
    const { say } = host.createProcess();
    await say("revoke");
    await say("revoke", { sender: "43" });
    expect(await say("revoke")).toMatchObject({ title: "Revoke succeeded." });
    expect(await say("revoke", { sender: "43" })).toMatchObject({ title: "Revoke succeeded." });
  });

  test("where a transport names no sender, the same chat confirms", async () => {
    const host = createHost();
    const { say } = host.createProcess();
    const unknown = { sender: null, transport: null };
    await say("revoke", { ...unknown, channel: "-6" });
    expect(await say("revoke", unknown)).toMatchObject({ title: question });
    expect(await say("revoke", unknown)).toMatchObject({ title: "Revoke succeeded." });
    expect(host.runs()).toEqual(["--revoke by= trigger=chat"]);
  });

  test.each([
    "",
    "{",
    "[]",
    '{"telegram:42":"soon"}',
    '{"telegram:42":true}',
    '{"telegram:42":"2126-01-01T00:00:00Z"}',
  ])("nobody has asked in a file that holds %j", async (text) => {
    const host = createHost();
    mkdirSync(join(host.asked, ".."), { recursive: true });
    writeFileSync(host.asked, text);
    expect(await host.createProcess().say("revoke")).toMatchObject({ title: question });
    expect(host.runs()).toEqual([]);
  });

  test("where nothing can be written down a host remembers it by itself, and a brief process says so", async () => {
    const host = createHost();
    mkdirSync(host.asked, { recursive: true });
    const { say } = host.createProcess();
    await say("revoke");
    expect(await say("revoke")).toMatchObject({ title: "Revoke succeeded." });
    const reply = await host.createProcess(true).say("revoke");
    expect(reply?.text).toMatch(
      /- That you have asked cannot be written down \(.+\): run ghauth revoke on the host\.$/,
    );
    expect(reply?.actions).toEqual([]);
  });

  test("two who confirm at once revoke once", async () => {
    const host = createHost();
    const { say } = host.createProcess();
    for (const sender of ["42", "43"]) await say("revoke", { sender });
    const results = await Promise.all(["42", "43"].map(async (sender) => say("revoke", { sender })));
    expect(results).toMatchObject([{ title: "Revoke succeeded." }, { title: "Revoke succeeded." }]);
    expect(host.runs()).toHaveLength(1);
  });

  test("takes no words, and repeats none", async () => {
    const host = createHost();
    const reply = await host.createProcess().say("revoke please");
    expect(reply).toMatchObject({ level: "error", exitCode: 64 });
    expect(reply?.text).toBe("error:\nrevoke takes no words: it revokes the token that this host holds.");
    expect(existsSync(host.asked)).toBe(false);
  });

  test.each(["help", "flow", "status", "history", "refresh", "revoke", "nothing"])(
    "in chat %s takes no word that begins with a dash",
    async (name) => {
      const host = createHost();
      const { say } = host.createProcess();
      for (const option of ["--yes", "-y", "-"]) {
        const reply = await say(`${name} ${option}`);
        expect(reply).toMatchObject({
          level: "warn",
          title: expect.stringMatching(/^In chat \/ghauth takes no options/),
        });
      }
      expect(host.runs()).toEqual([]);
      expect(existsSync(host.asked)).toBe(false);
    },
  );

  test("a console asks twice, too, unless --yes is said", async () => {
    const host = createHost();
    const { say } = host.createProcess();
    const terminal = { channel: terminalChannel, sender: null, transport: "console" };
    expect((await say("revoke", terminal))?.text).toMatch(
      /^Revoke the GitHub token\?[^]*enter \/ghauth revoke again/,
    );
    expect(await say("revoke", terminal)).toMatchObject({ title: "Revoke succeeded." });
    expect(await say("revoke --yes", terminal)).toMatchObject({ title: "Revoke succeeded." });
    expect(host.runs()).toEqual(["--revoke by= trigger=terminal", "--revoke by= trigger=terminal"]);
  });
});

describe.concurrent("ghauth revoke", () => {
  const script = { GHAUTH_RUN_REFRESH_WITH: "" };
  const install = async () => {
    const machine = await createMachine();
    machine.write(
      machine.paths.takopiConfig,
      `transport = "console"\n[plugins.ghauth]\nrefresh_script = ${JSON.stringify(executables.refresh)}\n`,
    );
    await machine.refresh();
    return Object.assign(machine, { held: machine.heldToken() ?? "" });
  };

  test("without a terminal revokes nothing, but with --yes", async () => {
    await using machine = await install();
    const refused = await machine.ghauth(["revoke"], { input: "y\n" });
    expect(refused).toMatchObject({ exitCode: 64, stdout: "" });
    expect(refused.stderr).toMatch(
      /ghauth revoke: it asks before it revokes, at a terminal; without one, say --yes\./,
    );
    expect(machine.github.isLive(machine.held)).toBe(true);

    const { exitCode, stdout } = await machine.ghauth(["revoke", "--yes"], { env: script });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^Revoking the GitHub token…\n\nRevoke succeeded\.\n/);
    expect(stdout).toMatch(/\(sha256 \w{8}\) was revoked at GitHub\./);
    expect(machine.github.isLive(machine.held)).toBe(false);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  });

  test("passes the script's code on, and says what becomes of the token", async () => {
    await using machine = await install();
    const env = { GITHUB_API_URL: "http://127.0.0.1:9" };
    machine.write(
      machine.paths.takopiConfig,
      `[plugins.ghauth]\nrefresh_script = ${JSON.stringify(executables.refresh)}\nrefresh_timeout_seconds = 6\n`,
    );
    const { exitCode, stdout } = await machine.ghauth(["revoke", "--yes"], { env });
    expect(exitCode).toBe(75);
    expect(stdout).toMatch(/Revoke failed: the script ended with 75, a transient failure; try again\./);
    expect(stdout).toMatch(/The old token is marked: .* the next refresh that reaches GitHub revokes it/);
    expect(stdout).toMatch(/^- GitHub refuses the token, or was told to revoke it: /m);
  });

  test("takes no token", async () => {
    await using machine = await install();
    const { exitCode, stderr } = await machine.ghauth(["revoke", "--yes", machine.held]);
    expect(exitCode).toBe(64);
    expect(stderr).toContain("too many arguments");
    rmSync(machine.paths.refreshLog, { force: true });
  });

  test.skipIf(isSkipped(!isInstalled("script")))("at a terminal asks, and does it for y alone", async () => {
    await using machine = await install();
    const atTerminal = () => {
      const words = [process.execPath, executables.ghauth, "revoke"].map((word) => `'${word}'`).join(" ");
      return startProgram(["script", "--quiet", "--return", "--command", words, "/dev/null"], {
        env: { ...machine.env, TERM: "xterm" },
        cwd: machine.home,
      });
    };
    for (const typed of ["\n", "n\n", "yellow\n", "\u0004", "\u0003"]) {
      await using asked = atTerminal();
      await asked.saw("[y/N] ");
      asked.type(typed);
      expect(await asked.exitCode()).toBe(1);
      expect(asked.output()).toContain("Nothing was revoked.");
    }
    expect(machine.github.isLive(machine.held)).toBe(true);
    await using asked = atTerminal();
    await asked.saw("[y/N] ");
    asked.type("Y\n");
    expect(await asked.exitCode()).toBe(0);
    expect(machine.github.isLive(machine.held)).toBe(false);
  });
});
