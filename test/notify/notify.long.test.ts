import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, rmSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { discordTable, installScript, startTelegram, telegramTable } from "../support/chat-machine.js";
import { createDiscordFake } from "../support/discord-fake.js";
import { channelId, operatorId } from "../support/discord-shapes.js";
import { createMachine, type Machine } from "../support/machine.js";
import { createTelegramFake, operator, telegramToken } from "../support/telegram-fake.js";

const alertsFile = ({ home }: Machine) => join(home, ".local/state/takopi/alerts.json");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
const strangeKey = privateKey.export({ type: "pkcs1", format: "pem" }).toString();

function configure(machine: Machine, ...tables: string[]): void {
  machine.write(machine.paths.takopiConfig, `${tables.join("\n")}\n`);
}

const sentencesIn = (machine: Machine): string[] =>
  machine
    .read(machine.paths.refreshLog)
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line).sentence);

/** A run that needs a person, as the refresh service makes it, and the look at the log that follows. */
async function failWithStrangeKey(machine: Machine) {
  machine.write(machine.paths.privateKey, strangeKey);
  expect((await machine.refresh()).exitCode).toBe(78);
  return machine.ghauth(["notify"]);
}

async function recover(machine: Machine) {
  machine.write(machine.paths.privateKey, machine.pem);
  expect((await machine.refresh()).exitCode).toBe(0);
  return machine.ghauth(["notify"]);
}

/** A dead man's switch that takes notes. */
async function createSwitch({ status = 200 } = {}) {
  const seen: { method: string; url: string; body: string }[] = [];
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => (body += text));
    request.on("end", () => {
      seen.push({ method: request.method ?? "", url: request.url ?? "", body });
      response.writeHead(status).end("OK");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    seen,
    url: `http://127.0.0.1:${port}/ping/0a1b`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("ghauth notify", () => {
  test("each chat is told of a failure once, and of its end once, with the bots down", async () => {
    await using telegram = await createTelegramFake();
    await using discord = await createDiscordFake();
    await using machine = await createMachine();
    configure(machine, 'transport = ["telegram", "discord"]', telegramTable(telegram), discordTable(discord));

    const first = await failWithStrangeKey(machine);

    expect(first).toMatchObject({ exitCode: 0, stdout: "" });
    const [sentence] = sentencesIn(machine);
    const [shown] = telegram.callsOf("sendMessage");
    expect(shown?.params.text).toMatch(
      /^<b>❌ GitHub token: dead, and refreshing it fails; a person must act<\/b>\nhost: /,
    );
    expect(shown?.params.text).toMatch(
      /\nfailing since: \d+ seconds? ago \(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\)\n/,
    );
    expect(shown?.params.text.replaceAll("&amp;", "&")).toContain(`• ${sentence}`);
    expect(shown?.params.reply_markup).toBeUndefined();
    expect(discord.requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
      expect.stringMatching(/^GET \/guilds\/\d+$/),
      `POST /channels/${channelId}/messages`,
    ]);
    expect(discord.posted[0]).toMatchObject({
      embeds: [{ title: expect.stringContaining("a person must act") }],
    });

    await failWithStrangeKey(machine);
    await recover(machine);
    await recover(machine);

    const texts = telegram.callsOf("sendMessage").map(({ params }) => params.text);
    expect(texts.length).toBe(2);
    expect(texts[1]).toMatch(
      /^<b>✅ GitHub token: refreshed again<\/b>\nhost: .*\nfailed for: \d+ s \(.* UTC to .* UTC\)\nexpires: in 5\d minutes/,
    );
    expect(discord.posted.length).toBe(2);
    expect(statSync(alertsFile(machine)).mode & 0o777).toBe(0o600);
    machine.sayInChat(telegram.said() + discord.said() + machine.read(alertsFile(machine)));
    expect([discord.problems, telegram.refused]).toEqual([[], []]);
  });

  test("a transient failure is told only when the token is about to die, and when it is dead", async () => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    await machine.refresh();
    const line = JSON.parse(machine.read(machine.paths.refreshLog));
    const failAt = async (minutesLeft: number) => {
      const entry = (ago: number, more: object) =>
        JSON.stringify({ ...line, at: new Date(Date.now() - ago * 60_000).toISOString(), ...more });
      const expires_at = new Date(Date.now() + minutesLeft * 60_000).toISOString();
      const failed = {
        ok: false,
        exit: 75,
        code: "github_unreachable",
        sentence: "No way to GitHub.",
        expires_at: null,
      };
      machine.write(
        machine.paths.refreshLog,
        `${entry(50, { expires_at })}\n${JSON.stringify({ ...line, ...failed, at: line.at })}\n${entry(0, failed)}\n`,
      );
      await machine.ghauth(["notify"]);
    };

    for (const minutesLeft of [30, 11, 9, 8, 1, -1, -2, -60]) await failAt(minutesLeft);

    const titles = telegram.callsOf("sendMessage").map(({ params }) => params.text.split("\n")[0]);
    expect(titles).toEqual([
      "<b>⚠️ GitHub token: about to expire, and refreshing it fails</b>",
      "<b>❌ GitHub token: dead, and refreshing it fails</b>",
    ]);
  });

  test("where the host runs, its bot goes on polling, and the message has buttons", async () => {
    await using telegram = await createTelegramFake();
    await using running = await startTelegram(telegram);
    const { machine } = running;

    await failWithStrangeKey(machine);

    const [id = 0] = telegram.messageIds();
    expect(telegram.message(id)?.keyboard).toEqual(["/ghauth refresh", "/ghauth doctor"]);
    installScript(machine);
    telegram.press(id, "/ghauth refresh");
    await telegram.until(() => (telegram.message(id)?.edits ?? 0) > 1);
    expect(telegram.refused).toEqual([]);
  });

  test("where Takopi itself runs, whose buttons are others, there are none", async () => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    machine.write(
      join(machine.home, ".takopi/takopi.lock"),
      JSON.stringify({ pid: process.pid, token_fingerprint: "0" }),
    );

    await failWithStrangeKey(machine);

    expect(telegram.callsOf("sendMessage").map(({ params }) => params.reply_markup)).toEqual([undefined]);
  });

  test("a chat out of reach fails nothing and is told at the next run; the other one is told at once", async () => {
    await using telegram = await createTelegramFake();
    await using discord = await createDiscordFake();
    await using machine = await createMachine();
    configure(machine, 'transport = ["telegram", "discord"]', telegramTable(telegram), discordTable(discord));
    telegram.setDown(true);

    const { exitCode, stderr } = await failWithStrangeKey(machine);

    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/"event":"alert.failed","place":"the Telegram chat -\d+"/);
    expect(discord.posted.length).toBe(1);
    telegram.setDown(false);
    await failWithStrangeKey(machine);
    expect([telegram.callsOf("sendMessage").length, discord.posted.length]).toEqual([1, 1]);
    machine.sayInChat(stderr);
  });

  test("a bot_token_env that is not set is said with the drop-in that gives it; the other chat is told", async () => {
    await using telegram = await createTelegramFake();
    await using discord = await createDiscordFake();
    await using machine = await createMachine();
    const lacking = telegramTable(telegram, { token: 'bot_token_env = "CHAT_TOKEN"' });
    configure(machine, 'transport = ["telegram", "discord"]', lacking, discordTable(discord));

    const { exitCode, stderr } = await failWithStrangeKey(machine);

    expect(exitCode).toBe(0);
    const line = stderr.split("\n").find((text) => text.includes("alert.failed")) ?? "{}";
    expect(JSON.parse(line).message).toMatch(
      /bot_token_env names CHAT_TOKEN, which is not set\. .*systemctl --user edit takopi-github-token-notify\.service.*EnvironmentFile=.*CHAT_TOKEN=/,
    );
    expect(discord.posted.length).toBe(1);
    const given = await machine.ghauth(["notify"], { env: { CHAT_TOKEN: telegramToken } });
    expect(given.exitCode).toBe(0);
    expect(telegram.callsOf("sendMessage").length).toBe(1);
  });

  test("the channel of discord_channel_id is posted to, and mention names the allowed users", async () => {
    await using telegram = await createTelegramFake();
    await using discord = await createDiscordFake();
    await using machine = await createMachine();
    configure(
      machine,
      'transport = ["telegram", "discord"]',
      telegramTable(telegram),
      discordTable(discord),
      "[plugins.ghauth.alerts]\nmention = true\ndiscord_channel_id = 1100000000000000099",
    );

    await failWithStrangeKey(machine);

    expect(telegram.callsOf("sendMessage")[0]?.params.text).toMatch(
      new RegExp(`\\n<a href="tg://user\\?id=${operator.id}">${operator.id}</a>$`),
    );
    expect(discord.requests.map(({ path }) => path)).toEqual(["/channels/1100000000000000099/messages"]);
    expect(discord.posted[0]).toMatchObject({
      content: `<@${operatorId}>`,
      allowed_mentions: { parse: [], users: [operatorId], roles: [] },
    });
    expect([discord.problems, telegram.refused]).toEqual([[], []]);
  });

  test("a server without a system messages channel is said, with the key to set", async () => {
    await using discord = await createDiscordFake({ systemChannelId: null });
    await using machine = await createMachine();
    configure(machine, 'transport = "discord"', discordTable(discord));

    const { stderr } = await failWithStrangeKey(machine);

    expect(stderr).toContain(
      "the server has no system messages channel: set discord_channel_id in [plugins.ghauth.alerts]",
    );
  });

  test("two at once tell each thing once", async () => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    machine.write(machine.paths.privateKey, strangeKey);
    await machine.refresh();

    const ended = await Promise.all([1, 2, 3].map(async () => machine.ghauth(["notify"])));

    expect(ended.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(telegram.callsOf("sendMessage").length).toBe(1);
  });

  test.each([
    "",
    "null",
    "[1",
    '{"chats":{"the Telegram chat -1001234567890":{"told":7,"sentAt":"x"}}}',
    "\0".repeat(100),
  ])("garbage in alerts.json is no obstacle: %j", async (garbage) => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    machine.write(alertsFile(machine), garbage, 0o644);

    expect((await failWithStrangeKey(machine)).exitCode).toBe(0);
    expect((await machine.ghauth(["notify"])).exitCode).toBe(0);

    expect(telegram.callsOf("sendMessage").length).toBe(1);
    expect(statSync(alertsFile(machine)).mode & 0o777).toBe(0o600);
  });

  test("where it cannot remember what it told it tells nothing, rather than the same every minute, and says why", async () => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    mkdirSync(join(alertsFile(machine), "in the way"), { recursive: true });

    const { exitCode, stderr } = await failWithStrangeKey(machine);

    expect({ exitCode, stderr }).toEqual({
      exitCode: 78,
      stderr: expect.stringMatching(/alerts\.json cannot be written: it is a directory/),
    });
    expect(telegram.callsOf("sendMessage")).toEqual([]);
    rmSync(alertsFile(machine), { recursive: true });
    await machine.ghauth(["notify"]);
    expect(telegram.callsOf("sendMessage").length).toBe(1);
  });

  test("a secret in the log reaches neither chat, heartbeat nor journal", async () => {
    await using telegram = await createTelegramFake();
    await using heart = await createSwitch();
    await using machine = await createMachine();
    configure(
      machine,
      'transport = "telegram"',
      telegramTable(telegram),
      `[plugins.ghauth.alerts]\nheartbeat_url = "${heart.url}"`,
    );
    await failWithStrangeKey(machine);
    const line = JSON.parse(machine.read(machine.paths.refreshLog).trim().split("\n").at(-1) ?? "");
    const canary = `ghs_${"C4naryInTheLog".repeat(4)}`;
    const sentence = `GitHub says ${canary}, and ${telegramToken}.`;
    machine.write(
      machine.paths.refreshLog,
      `${JSON.stringify({ ...line, code: "key_missing", at: new Date().toISOString(), sentence })}\n`,
    );

    const { stderr } = await machine.ghauth(["notify"], {
      env: { LOG_LEVEL: "debug", NODE_DEBUG: "http,fetch" },
    });

    expect([telegram.callsOf("sendMessage").length, heart.seen.length]).toEqual([2, 2]);
    const said = telegram.said() + JSON.stringify(heart.seen) + stderr;
    expect(said).toContain("GitHub says");
    expect(said).not.toMatch(/C4naryInTheLog|AAHdqTcvCH1vGW/);
    expect(stderr).not.toContain("/ping/");
    rmSync(machine.paths.refreshLog); // it holds what no refresh writes
  });

  test("it needs no token env file, no key and no settings of the App", async () => {
    await using telegram = await createTelegramFake();
    await using machine = await createMachine();
    configure(machine, 'transport = "telegram"', telegramTable(telegram));
    machine.write(machine.paths.privateKey, strangeKey);
    await machine.refresh();
    for (const path of [machine.paths.privateKey, machine.paths.appEnvFile, machine.paths.tokenEnvFile])
      rmSync(path, { force: true });

    expect((await machine.ghauth(["notify"])).exitCode).toBe(0);

    expect(telegram.callsOf("sendMessage").length).toBe(1);
    expect(machine.github.mints).toBe(0);
  });

  test("without a chat or a heartbeat it says nothing, and leaves no file", async () => {
    await using machine = await createMachine();
    expect(await machine.ghauth(["notify"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    await machine.refresh();
    expect(await machine.ghauth(["notify"])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
    expect(existsSync(alertsFile(machine))).toBe(false);
  });
});

describe("heartbeats", () => {
  test.each([true, false])(
    "a success is a GET, a failure a POST of its sentence to /fail; alerts on: %s",
    async (enabled) => {
      await using telegram = await createTelegramFake();
      await using heart = await createSwitch();
      await using machine = await createMachine();
      configure(
        machine,
        'transport = "telegram"',
        telegramTable(telegram),
        `[plugins.ghauth.alerts]\nenabled = ${enabled}\nheartbeat_url = "${heart.url}"`,
      );
      await recover(machine);
      await failWithStrangeKey(machine);
      await failWithStrangeKey(machine);
      await recover(machine);

      const sentences = sentencesIn(machine);
      expect(heart.seen).toEqual([
        { method: "GET", url: "/ping/0a1b", body: "" },
        { method: "POST", url: "/ping/0a1b/fail", body: sentences[1] },
        { method: "POST", url: "/ping/0a1b/fail", body: sentences[2] },
        { method: "GET", url: "/ping/0a1b", body: "" },
      ]);
      expect(telegram.callsOf("sendMessage").length).toBe(enabled ? 2 : 0);
      machine.sayInChat(JSON.stringify(heart.seen));
    },
  );

  test("one that is not taken fails nothing, and is sent with the next", async () => {
    await using broken = await createSwitch({ status: 500 });
    await using heart = await createSwitch();
    await using machine = await createMachine();
    configure(machine, `[plugins.ghauth.alerts]\nheartbeat_url = "${heart.url}"`);
    await recover(machine);
    configure(machine, `[plugins.ghauth.alerts]\nheartbeat_url = "${broken.url}"`);

    const { exitCode, stderr } = await failWithStrangeKey(machine);

    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: expect.stringContaining("heartbeat.failed"),
    });
    configure(machine, `[plugins.ghauth.alerts]\nheartbeat_url = "${heart.url}"`);
    await recover(machine);
    expect(heart.seen.map(({ method }) => method)).toEqual(["GET", "POST", "GET"]);
  });
});

describe("[plugins.ghauth.alerts]", () => {
  test.each([
    ['quiet_hours = "22-7"', 'quiet_hours must be hours of the day, as in "22:00-07:00"'],
    ["enabled = 1", "enabled must be true or false"],
    [
      'heartbeat_url = "http://example.com/x"',
      "heartbeat_url must be an https URL, or an http one of this machine",
    ],
    [
      'heartbeat_url = "ftp://127.0.0.1/x"',
      "heartbeat_url must be an https URL, or an http one of this machine",
    ],
    [
      "mentions = true",
      "mentions is not known; the keys are enabled, quiet_hours, mention, heartbeat_url, discord_channel_id",
    ],
  ])("%s is refused with the key and what was expected", async (line, complaint) => {
    await using machine = await createMachine();
    configure(machine, `[plugins.ghauth.alerts]\n${line}`);
    const { exitCode, stderr } = await machine.ghauth(["notify"]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 78,
      stderr: `ghauth notify: ${machine.paths.takopiConfig}: plugins.ghauth.alerts.${complaint}.\n`,
    });
  });

  test("a wrong discord_channel_id leaves Telegram its alerts", async () => {
    await using telegram = await createTelegramFake();
    await using discord = await createDiscordFake();
    await using machine = await createMachine();
    configure(
      machine,
      'transport = ["telegram", "discord"]',
      telegramTable(telegram),
      discordTable(discord),
      '[plugins.ghauth.alerts]\ndiscord_channel_id = "general"',
    );
    const { exitCode, stderr } = await failWithStrangeKey(machine);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 78,
      stderr: expect.stringContaining("plugins.ghauth.alerts.discord_channel_id must be an id"),
    });
    expect(telegram.callsOf("sendMessage").length).toBe(1);
  });
});

test("--where says where alerts go and how to stop them, and sends nothing", async () => {
  await using telegram = await createTelegramFake();
  await using machine = await createMachine();
  const where = async () => (await machine.ghauth(["notify", "--where"])).stdout;
  expect(await where()).toBe(
    "Alerts go nowhere: ~/.takopi/takopi.toml configures no chat (takopi.example.toml shows how).\n",
  );
  configure(
    machine,
    'transport = ["telegram", "discord"]',
    telegramTable(telegram),
    '[transports.discord]\nbot_token_env = "D"\nguild_id = "5"',
  );
  expect(await where()).toMatch(
    /^Alerts go to the Telegram chat -1001234567890 and the system messages channel of the Discord server 5 when a token cannot be refreshed\. To stop them, set enabled = false in \[plugins\.ghauth\.alerts\] of ~\/\.takopi\/takopi\.toml\.\ntakopi-github-token-notify\.service gets D by a drop-in: /,
  );
  configure(
    machine,
    'transport = "telegram"',
    telegramTable(telegram),
    '[plugins.ghauth.alerts]\nenabled = false\nheartbeat_url = "https://hc-ping.com/secret"',
  );
  expect(await where()).toBe(
    "Alerts are off: enabled is false in [plugins.ghauth.alerts] of ~/.takopi/takopi.toml.\nAfter each run, a heartbeat goes to hc-ping.com.\n",
  );
  expect(telegram.callsOf("sendMessage")).toEqual([]);
});

test("in Takopi's own configuration, whose transport may go unsaid, its own bot and chat are used", async () => {
  await using telegram = await createTelegramFake();
  await using machine = await createMachine();
  configure(
    machine,
    'default_engine = "claude"',
    telegramTable(telegram, { more: 'message_overflow = "split"' }),
  );

  await failWithStrangeKey(machine);

  expect(telegram.callsOf("sendMessage").length).toBe(1);
});
