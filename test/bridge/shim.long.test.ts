import { readdirSync, readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createMachine, executables, expectNoSecret, type Machine } from "../support/machine.js";
import { type Asked, installTakopi, needsPython, type StubHost } from "../support/takopi-stub.js";

const planted = `ghs_${"Planted9".repeat(6)}`;

/** A machine whose Takopi is the stub, and which allows user 42. What a test prints is checked for secrets at its end. */
async function createTakopi(host: StubHost = {}) {
  const machine = await createMachine();
  machine.write(
    machine.paths.takopiConfig,
    `transport = "telegram"\n[transports.telegram]\nbot_token = "1:${planted}"\nchat_id = -100\nallowed_user_ids = [42]\n`,
  );
  const takopi = installTakopi(machine, host);
  const config = { cli: [process.execPath, executables.ghauth], refresh_script: executables.refresh };
  return {
    machine,
    config,
    ask: async (asked: Asked = {}) => {
      const [answer] = await takopi.askAll([{ plugin_config: config, ...asked }]);
      if (!answer) throw new Error("the shim returned nothing");
      return answer;
    },
    askAll: takopi.askAll,
    start: takopi.start,
    [Symbol.asyncDispose]: machine[Symbol.asyncDispose],
  };
}

/** A program in place of ghauth. */
function stubCli(
  machine: Machine,
  script: string,
  name = "ghauth",
): { cli: string[]; refresh_timeout_seconds: number } {
  const path = join(machine.home, "bin", name);
  machine.write(path, `#!/bin/sh\n${script}\n`, 0o755);
  return { cli: [path], refresh_timeout_seconds: 0.2 };
}

async function makePipe(machine: Machine, name: string): Promise<string> {
  const path = join(machine.home, name);
  await machine.run(["mkfifo", path]);
  return path;
}

/** The processes that have this machine's home; one that is dead and not yet waited for has none. */
function processesOf(machine: Machine): string[] {
  return readdirSync("/proc").filter((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/environ`, "utf8").includes(`HOME=${machine.home}\0`)
      );
    } catch {
      return false; // it has just ended
    }
  });
}

const notShown = /^error:\nghauth gave no answer that can be shown: /;
const malformed: [string, string, RegExp][] = [
  ["an answer that is not JSON", `echo 'token ${planted}'`, notShown],
  ["an answer without a text", `echo '{"answer":"${planted}"}'`, notShown],
  ["an answer whose text is no text", `echo '{"text":["${planted}"]}'`, notShown],
  ["a blank answer", `echo '{"text":" \\n ","token":"${planted}"}'`, notShown],
  ["a binary answer", `printf '\\377\\376\\000${planted}\\303'`, notShown],
  ["an answer of 10 MB", `printf '{"text":"'; yes ${planted} | head -c 10000000; printf '"}'`, notShown],
  ["deep nesting", `head -c 100000 /dev/zero | tr '\\0' '['; echo ${planted}`, notShown],
  [
    "a failure",
    `echo '{"text":"${planted}"}'; echo ${planted} >&2; exit 7`,
    /^error:\nghauth ended with 7: /,
  ],
  [
    "a node that is gone",
    `echo ${planted}; exit 127`,
    /^error:\nghauth ended with 127: the node that it runs on is gone\. Run install_local\.sh again\.$/,
  ],
  ["a death by a signal", `echo ${planted}; kill -9 $$`, /^error:\nghauth ended with -9: /],
];

describe.concurrent("the Takopi shim", () => {
  test("status, refresh and status again go through the real ghauth and the real refresh script", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();

    expect((await takopi.ask()).text).toMatch(/^GitHub token: missing \([^\n]+\)\n/);
    const refreshed = await takopi.ask({ args: ["refresh"] });
    expect(refreshed).toMatchObject({ notify: true, text: expect.stringMatching(/^Refresh succeeded\.\n/) });
    expect((await takopi.ask()).text).toMatch(/^GitHub token: fresh \([^\n]+\)\nprefix: ghs_1234…\n/);
    expect(takopi.machine.github.mints).toBe(1);
    expect(takopi.machine.log()).toMatchObject([{ trigger: "chat", ok: true }]);
  });

  test("an unknown sender gets everything but refresh, until allow_unknown_sender_refresh says otherwise", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const unknown = { sender_id: null, channel_id: "1234567890123456789" };

    expect((await takopi.ask({ ...unknown, args: ["help"] })).text).toContain("/ghauth refresh: ");
    const refused = await takopi.ask({ ...unknown, args: ["refresh"] });
    expect(refused.text).toContain("this transport does not say who asks");
    expect(refused.text).toContain("allow_unknown_sender_refresh = true");
    expect(takopi.machine.github.mints).toBe(0);

    const plugin_config = { ...takopi.config, allow_unknown_sender_refresh: true };
    const allowed = await takopi.ask({ ...unknown, args: ["refresh"], plugin_config });
    expect(allowed.text).toMatch(/^Refresh succeeded/);
  });

  test("of an answer that is not well-formed nothing is shown", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const questions = malformed.map(([name, script]) => ({
      plugin_config: { ...stubCli(takopi.machine, script, name), note: planted },
    }));
    const answers = await takopi.askAll(questions);
    expect(answers).toHaveLength(malformed.length);
    for (const [at, { text, notify }] of answers.entries()) {
      const [name, , sentence = /^$/] = malformed[at] ?? [];
      expect({ name, text, notify }).toEqual({ name, text: expect.stringMatching(sentence), notify: true });
      expectNoSecret(text, [planted]);
    }
  });

  test("a program that is missing, or cannot be run, is a sentence", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const notExecutable = join(takopi.machine.home, planted);
    takopi.machine.write(notExecutable, "");
    const missing = [[join(takopi.machine.home, "none", planted)], [notExecutable], [`\0${planted}`]];
    const wrong = ["ghauth", [], [""], [1]];
    const answers = await takopi.askAll([...missing, ...wrong].map((cli) => ({ plugin_config: { cli } })));
    expect(answers.map(({ text }) => text)).toEqual([
      ...missing.map(
        () => 'error:\nghauth cannot be run: set plugins.ghauth.cli, as in ["~/.local/bin/ghauth"].',
      ),
      ...wrong.map(() => 'error:\nplugins.ghauth.cli must be a list of words, as in ["ghauth"].'),
    ]);
  });

  test("a long answer is cut to 1,900 characters with a mark, and keeps its notify", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const script = `printf '{"notify":false,"text":"\\\\ud800'; head -c 5000 /dev/zero | tr '\\0' x; printf '"}'`;
    const answer = await takopi.ask({ plugin_config: stubCli(takopi.machine, script) });
    expect(answer).toEqual({ text: `?${"x".repeat(1898)}…`, notify: false });
  });

  test("a program that hangs is ended with all that it started, even where it will not go", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const plugin_config = stubCli(takopi.machine, `trap '' TERM; sleep 1000 & echo ${planted}; wait; wait`);
    const { text } = await takopi.ask({ plugin_config: { ...plugin_config }, headroom: 1 });
    expect(text).toMatch(/^error:\nghauth gave no answer within 1\.2 s and was ended: /);
    await context.expect.poll(() => processesOf(takopi.machine)).toEqual([]);
  });

  test("a cancelled refresh ends ghauth and the refresh script, and stays cancelled", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const { machine } = takopi;
    const pipe = await makePipe(machine, "started");
    const refresh_script = join(machine.home, "bin/refresh");
    machine.write(
      refresh_script,
      `#!/bin/sh\ntrap '' TERM\necho ${planted}\necho >'${pipe}'\nsleep 1000`,
      0o755,
    );
    const answer = await takopi.ask({
      args: ["refresh"],
      cancel_on: pipe,
      plugin_config: { ...takopi.config, refresh_script },
    });
    expect(answer).toEqual({ cancelled: true });
    await context.expect.poll(() => processesOf(machine)).toEqual([]);
  });

  test("where Takopi is killed, ghauth and the refresh script end by themselves", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const { machine } = takopi;
    const pipe = await makePipe(machine, "started");
    const refresh_script = join(machine.home, "bin/refresh");
    machine.write(
      refresh_script,
      `#!/bin/sh\ntrap '' TERM\necho >'${pipe}'\nwhile :; do sleep 1000; done`,
      0o755,
    );
    const asked = {
      args: ["refresh"],
      plugin_config: { ...takopi.config, refresh_script, refresh_timeout_seconds: 600 },
    };
    const running = takopi.start(asked);
    await readFile(pipe);
    expect(processesOf(machine).length).toBeGreaterThan(2);
    await running.stop("SIGKILL");
    await context.expect.poll(() => processesOf(machine)).toEqual([]);
  });

  const button = { text: "🔄 Refresh", callback_data: "ghauth:refresh" };
  const buttons = { parse_mode: "HTML", reply_markup: { inline_keyboard: [[button]] } };

  test("from 0.23.1 on Takopi's Telegram gets HTML with a button", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi({ version: "0.23.1" });
    const { text, sent } = await takopi.ask();
    expect(text).toBeNull();
    expect(sent).toEqual([{ text: expect.stringMatching(/^<b>[^<]+<\/b>\n/), extra: buttons, notify: true }]);
  });

  test.for<[string, StubHost]>([
    ["an older Takopi", { version: "0.23.0" }],
    ["Takopi's Discord", { version: "0.23.4", executorModule: "takopi_discord.executor" }],
    ["Telegram refusing by an exception", { version: "0.24.0", refused: "by exception" }],
    ["Telegram refusing silently", { version: "1.0", refused: "silently" }],
    ["Untether", { host: "untether", version: "9.0.0" }],
    ["yee88", { host: "yee88", version: "9.0.0" }],
  ])("%s: plain text arrives", async ([, host], context) => {
    needsPython(context);
    await using takopi = await createTakopi(host);
    const { text, sent } = await takopi.ask();
    expect({ text, sent }).toEqual({
      text: expect.stringMatching(/^GitHub token: missing/),
      sent: undefined,
    });
  });

  test("a command without an answer says once that it works", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    const script = `sleep 0.5; echo '{"text":"done"}'`;
    const plugin_config = { ...stubCli(takopi.machine, script), refresh_timeout_seconds: 30 };
    const slow = { headroom: 30, silent: 0.05, plugin_config };
    const answers = await takopi.askAll([{ ...slow, args: ["refresh"] }, slow, { ...slow, silent: 60 }]);
    expect(answers.map(({ text, sent }) => [text, sent?.map((each) => each.text)])).toEqual([
      ["done", ["Refreshing…"]],
      ["done", ["Still working…"]],
      ["done", undefined],
    ]);
  });

  test("the refresh log names who asked, by the transport that Takopi runs", async (context) => {
    needsPython(context);
    await using takopi = await createTakopi();
    await takopi.ask({ args: ["refresh"] });
    expect(takopi.machine.log()).toMatchObject([{ by: "telegram:42" }]);
  });
});
