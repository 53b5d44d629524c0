import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createTransports } from "../../src/cli/configured-transports.js";
import { readTakopiConfig } from "../../src/takopi/takopi-config.js";
import { startTelegram, telegramTable } from "../support/chat-machine.js";
import { createMachine } from "../support/machine.js";
import { createTelegramFake, telegramToken } from "../support/telegram-fake.js";

describe("one host at a time serves a configuration", () => {
  test("a second one is told, and the first one's lock goes with it", async () => {
    await using telegram = await createTelegramFake();
    await using run = await startTelegram(telegram);
    const lock = run.machine.paths.takopiConfig.replace(".toml", ".lock");

    const second = await run.machine.ghauth(["run"]);
    expect(second).toMatchObject({
      exitCode: 75,
      stderr: expect.stringMatching(/error: already running\nremove ~\/\.takopi\/takopi\.lock if stale/),
    });
    expect(JSON.parse(run.machine.read(lock))).toMatchObject({
      pid: run.host.pid,
      token_fingerprint: expect.stringMatching(/^[0-9a-f]{10}$/),
    });

    expect(await run.host.stop("SIGINT")).toMatchObject({ exitCode: 0 });
    expect(existsSync(lock)).toBe(false);
  });

  test("a lock is taken over where its process is gone, or its number is another's by now", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, 'transport = "console"\n');
    const lock = machine.paths.takopiConfig.replace(".toml", ".lock");
    const child = spawn("true");
    await once(child, "close");
    for (const text of [
      JSON.stringify({ pid: child.pid, token_fingerprint: null }),
      JSON.stringify({ pid: process.pid, token_fingerprint: null, process: "another boot/1" }),
      "not a lock",
      "",
    ]) {
      machine.write(lock, text);
      expect(await machine.ghauth(["run"])).toMatchObject({ exitCode: 0 });
    }
    machine.write(lock, JSON.stringify({ pid: process.pid, token_fingerprint: "Takopi's" }));
    expect(await machine.ghauth(["run"])).toMatchObject({ exitCode: 75 });
  });
});

test("what a chat's library throws ends the host with 75; while the host stops, it changes nothing", async () => {
  await using telegram = await createTelegramFake();
  await using machine = await createMachine();
  const broken = `${machine.root}/broken.cjs`;
  machine.write(
    broken,
    `for (const name of ["SIGTERM", "SIGUSR2"])
       process.on(name, () => setImmediate(() => { throw new Error("socket hang up"); }));`,
  );
  machine.write(machine.paths.takopiConfig, `transport = "telegram"\n${telegramTable(telegram)}`);
  const env = { NODE_OPTIONS: `--require="${broken}"` };
  for (const [signal, exitCode] of [
    ["SIGTERM", 0],
    ["SIGUSR2", 75],
  ] as const) {
    const host = await machine.startHost(/telegram\.ready/, { env });
    expect(await host.stop(signal)).toMatchObject({ exitCode });
    expect(host.output()).toMatch(/"event":"host\.exception","error":"socket hang up"/);
  }
});

describe("a bot token", () => {
  test("comes from a file or the environment as well, and is handed on to nobody", async () => {
    await using telegram = await createTelegramFake();
    await using run = await startTelegram(telegram, {
      token: 'bot_token_env = "CHAT_TOKEN"',
      plugin: 'refresh_env = ["CHAT_TOKEN", "SEEN"]',
      env: { CHAT_TOKEN: telegramToken, SEEN: "yes" },
    });
    run.machine.write(
      run.machine.paths.refreshScript,
      '#!/bin/sh\necho "token <$CHAT_TOKEN>, seen <$SEEN>"\n',
      0o755,
    );
    telegram.say("/ghauth refresh");
    const edit = await telegram.until(() => telegram.callsOf("editMessageText").at(-1));
    expect(edit.params.text).toContain("token &lt;&gt;, seen &lt;yes&gt;");

    await using other = await createTelegramFake();
    await using machine = await createMachine();
    machine.write(`${machine.home}/bot token`, `${telegramToken}\n`);
    machine.write(
      machine.paths.takopiConfig,
      `transport = "telegram"\n${telegramTable(other, { token: 'bot_token_file = "~/bot token"' })}`,
    );
    await machine.startHost(/telegram\.ready/);
  });

  test("never shows in a log, at any level", async () => {
    await using telegram = await createTelegramFake();
    await using run = await startTelegram(telegram, { env: { LOG_LEVEL: "debug" } });
    telegram.setDown(true);
    await run.host.waitFor(/telegram\.unreachable/);
    await run.host.stop();
    expect(run.host.output()).not.toContain(telegramToken.slice(-20));
  });
});

describe("a configuration that cannot be served is told with file and key: 78", () => {
  const telegram = (lines: string) => `transport = "telegram"\n[transports.telegram]\n${lines}\n`;
  test.each([
    [
      "no table",
      'transport = "telegram"\n',
      /transports\.telegram\.chat_id must be an id: digits, in quotes or bare/,
    ],
    [
      "no token",
      telegram("chat_id = 5"),
      /transports\.telegram needs one of bot_token, bot_token_file and bot_token_env/,
    ],
    ["two tokens", telegram('chat_id = 5\nbot_token = "1:a"\nbot_token_env = "X"'), /needs one of bot_token/],
    [
      "a token with a slash",
      telegram('chat_id = 5\nbot_token = "1:a/../b"'),
      /bot_token must be a bot token: letters, digits/,
    ],
    [
      "a variable that is not set",
      telegram('chat_id = 5\nbot_token_env = "NOT_SET"'),
      /bot_token_env names NOT_SET, which is not set/,
    ],
    [
      "a file that is not there",
      telegram('chat_id = 5\nbot_token_file = "~/none"'),
      /bot_token_file cannot be read: ENOENT/,
    ],
    [
      "a chat that is no id",
      telegram('chat_id = "ops"\nbot_token = "1:a"'),
      /transports\.telegram\.chat_id must be an id/,
    ],
    [
      "users that are no ids",
      telegram('chat_id = 5\nbot_token = "1:a"\nallowed_user_ids = ["ada"]'),
      /allowed_user_ids\.0 must be an id/,
    ],
    [
      "a server that is no URL",
      telegram('chat_id = 5\nbot_token = "1:a"\napi_root = "telegram"'),
      /api_root must be an http or https URL/,
    ],
    [
      "a plugin list of wrong things",
      'transport = "console"\n[plugins]\nenabled = [1]\n',
      /plugins\.enabled must be a name or a list of names/,
    ],
  ])("%s", (_what, toml, complaint) => {
    const directory = mkdtempSync(join(tmpdir(), "ghauth-test-"));
    try {
      const path = join(directory, "takopi.toml");
      writeFileSync(path, toml, { mode: 0o600 });
      expect(() => createTransports(readTakopiConfig(path), { HOME: directory })).toThrow(
        expect.objectContaining({ exitCode: 78, message: expect.stringMatching(complaint) }),
      );
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("a LOG_LEVEL that there is not", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, 'transport = "console"\n');
    const { exitCode, stderr } = await machine.ghauth(["run"], { env: { LOG_LEVEL: "loud" } });
    expect(stderr).toContain('LOG_LEVEL is "loud": set it to one of debug, info, warn, error.');
    expect(exitCode).toBe(78);
  });
});

test("SIGTERM while a refresh hangs: gone within 5 s, with 0, and the script with it", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);
  const pidFile = `${run.machine.root}/pid`;
  run.machine.write(
    run.machine.paths.refreshScript,
    `#!/bin/sh\necho $$ > '${pidFile}'\necho begun\nexec sleep 60\n`,
    0o755,
  );
  telegram.say("/ghauth refresh");
  await telegram.until(() => telegram.callsOf("sendMessage").length > 0);
  const status = telegram.say("/ghauth status");
  await telegram.until(() =>
    telegram.callsOf("sendMessage").some(({ params }) => params.reply_parameters?.message_id === status),
  );
  await expect.poll(() => existsSync(pidFile) && run.machine.read(pidFile).trim() !== "").toBe(true);

  const startedMs = performance.now();
  expect(await run.host.stop()).toMatchObject({ exitCode: 0 });
  expect(performance.now() - startedMs).toBeLessThan(10_000);
  const { stdout } = await run.machine.run(["ps", "-o", "stat=", "-p", run.machine.read(pidFile).trim()]);
  expect(stdout.trim()).toMatch(/^(Z.*)?$/);
});
