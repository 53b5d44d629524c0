import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { subcommands } from "../../src/ghauth/subcommands/subcommands.js";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import type { CommandContext, Reply } from "../../src/takopi/command-backend.js";

const root = mkdtempSync(join(tmpdir(), "ghauth-test-"));
afterAll(() => rmSync(root, { recursive: true }));

const message = { channelId: "chat", messageId: "1", threadId: null, senderId: "42", raw: null };

/** What a script does that goes on once it is let go. */
const waiting = 'until [ -e "$0.go" ]; do sleep 0.02; done';

/** A /ghauth whose clock stands still until told, and whose script counts its runs. */
function createChat(name: string, body: string, env: Record<string, string> = {}) {
  const script = join(root, name);
  const runs = `${script}.runs`;
  writeFileSync(script, `#!/bin/sh\necho run >> '${runs}'\n${body}\n`);
  chmodSync(script, 0o755);
  let elapsedMs = 0;
  const command = createGhauthCommand({
    clock: { now: () => new Date(), elapsedMs: () => elapsedMs, sleep: () => Promise.resolve() },
    env: { PATH: process.env["PATH"], HOME: root, ...env },
  });
  const sent: Reply[] = [];
  const say = async (word: string, more: Partial<CommandContext> = {}) =>
    command.handle({
      command: "ghauth",
      text: `/ghauth ${word}`,
      argsText: word,
      args: [word],
      message,
      transport: "telegram",
      replyTo: null,
      replyText: null,
      configPath: join(root, "takopi.toml"),
      pluginConfig: { refresh_script: script },
      executor: {
        send: (reply) => {
          sent.push(reply);
          return Promise.resolve(null);
        },
        edit: () => Promise.resolve(),
      },
      ...more,
    });
  return {
    say,
    sent,
    pass: (ms: number) => (elapsedMs += ms),
    letGo: () => writeFileSync(`${script}.go`, ""),
    runs: () => readFileSync(runs, "utf8").trim().split("\n").length,
  };
}

describe.concurrent("refresh from chat", () => {
  test.each<[string, Partial<CommandContext>, string]>([
    ["a sender by the transport's name", {}, "telegram:42"],
    ["nobody where the sender is unknown", { message: { ...message, senderId: null } }, ""],
    ["nobody where the transport is unknown", { transport: null }, ""],
  ])("the script is told who asks: %s", async (_who, more, by) => {
    const chat = createChat(`who-${by}-${more.transport}`, 'echo "by=<$GHAUTH_BY>"', { GHAUTH_BY: "x:1" });
    expect((await chat.say("refresh", more))?.tail).toBe(`by=<${by}>`);
  });

  test("fifty at once run the script once, and all get its result", async () => {
    const chat = createChat("slow", waiting);
    const asked = Array.from({ length: 50 }, async () => chat.say("refresh"));
    await expect.poll(() => chat.sent.length).toBe(50);
    chat.letGo();
    const results = await Promise.all(asked);
    expect(chat.runs()).toBe(1);
    expect(new Set(results.map((result) => result?.title))).toEqual(new Set(["Refresh succeeded."]));
    expect(chat.sent.map(({ text }) => text)).toEqual([
      "Refreshing the GitHub token…",
      ...Array.from({ length: 49 }, () => "A refresh is already running: waiting for it…"),
    ]);
  });

  test("after a success it waits for the cooldown", async () => {
    const chat = createChat("quick", "exit 0");
    await chat.say("refresh");
    chat.pass(12_400);
    const refused = await chat.say("refresh");
    chat.pass(17_600);
    await chat.say("refresh");
    expect(refused?.text).toBe("The token was refreshed 12 s ago: wait 18 s before the next refresh.");
    expect(chat.runs()).toBe(2);
  });

  test("after a failure it does not wait", async () => {
    const chat = createChat("failing", "exit 75");
    await chat.say("refresh");
    await chat.say("refresh");
    expect(chat.runs()).toBe(2);
  });

  test("a message that can be edited becomes the result", async () => {
    const chat = createChat("edited", "echo done");
    const edits: [string, string][] = [];
    const result = await chat.say("refresh", {
      executor: {
        send: () => Promise.resolve({ channelId: "chat", messageId: "7" }),
        edit: ({ messageId }, reply) => {
          edits.push([messageId, reply.text.split("\n")[0] ?? ""]);
          return Promise.resolve();
        },
      },
    });
    expect(result).toBeUndefined();
    expect(edits).toEqual([["7", "Refresh succeeded."]]);
  });

  test("a hanging script blocks no other command", async () => {
    const chat = createChat("hanging", waiting);
    const refresh = chat.say("refresh");
    const status = await chat.say("status");
    expect(status?.title).toBe(`GitHub token: missing (${hostname()})`);
    chat.letGo();
    expect((await refresh)?.title).toMatch(/^Refresh succeeded\./);
  });
});

test.each(["", "help", "nonsense", "constructor", "__proto__"])(
  "/ghauth %j shows a line for each subcommand",
  async (word) => {
    const result = await createChat("help", "").say(word);
    expect(
      result?.text
        .split("\n")
        .slice(1)
        .map((line) => line.split(":")[0]),
    ).toEqual(subcommands.map(({ name }) => `/ghauth ${name}`));
  },
);

test("the backend never throws: a bad configuration is an answer", async () => {
  const result = await createChat("config", "").say("status", { pluginConfig: { refresh_script: 5 } });
  expect(result).toMatchObject({ level: "error", exitCode: 78 });
  expect(result?.text).toMatch(
    /^error:\n.*takopi\.toml: plugins\.ghauth\.refresh_script must be a path in quotes\.$/,
  );
});
