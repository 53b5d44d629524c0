import { expect, test } from "vitest";
import { systemClock } from "../../src/system/clock.js";
import { Secret } from "../../src/token/secret.js";
import { runDiscord } from "../../src/transports/discord/bot.js";
import { startDiscord, startTelegram } from "../support/chat-machine.js";
import { createDiscordFake } from "../support/discord-fake.js";
import { discordToken, guildId } from "../support/discord-shapes.js";
import { createTelegramFake } from "../support/telegram-fake.js";

test("another program that keeps polling ends the host with 75 after 15 s", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);
  const startedMs = performance.now();
  for (let polls = 0; polls < 60; polls++)
    telegram.refuse("getUpdates", {
      status: 409,
      description: "Conflict: terminated by other getUpdates request",
    });
  telegram.say("/ghauth help"); // ends the poll that is open
  const { exitCode, stderr } = await run.host.ended;
  expect(stderr).toMatch(
    /ghauth run: Another program polls with this bot token \(Takopi itself\? then use the shim\)/,
  );
  expect(exitCode).toBe(75);
  expect(performance.now() - startedMs).toBeGreaterThan(14_000);
});

test("Telegram out of reach for a while: told once, and then what was asked meanwhile is answered, once", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);
  telegram.setDown(true);
  await run.host.waitFor(/telegram\.unreachable/);
  const asked = telegram.say("/ghauth status");
  telegram.setDown(false);
  await run.host.waitFor(/telegram\.reachable/);
  await telegram.until(() => telegram.callsOf("sendMessage").length > 0);
  telegram.say("/ghauth help");
  await telegram.until(() => telegram.callsOf("sendMessage").length > 1);
  expect(
    telegram.callsOf("sendMessage").map(({ params }) => params.reply_parameters?.message_id === asked),
  ).toEqual([true, false]);
  expect(run.host.output().match(/telegram\.unreachable/g)).toHaveLength(1);
});

test("a Telegram that is not there at start is waited for", async () => {
  await using telegram = await createTelegramFake();
  telegram.setDown(true);
  await using run = await startTelegram(telegram, { ready: /telegram\.unreachable/ });
  telegram.setDown(false);
  await run.host.waitFor(/telegram\.ready/);
  expect(telegram.refused).toEqual([]);
});

test("an error of Telegram's own is tried again, and a lost edit too", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);
  telegram.refuse("sendMessage", { status: 500, description: "Internal Server Error" });
  telegram.refuse("editMessageText", { status: 502, description: "Bad Gateway" });
  telegram.say("/ghauth refresh");
  await telegram.until(() => telegram.messages()[0]?.text.includes("Refresh succeeded."));
  expect(telegram.messages()).toHaveLength(1);
  expect(run.script.runs()).toBe(1);
});

test("a storm of reconnects, new sessions among them: every command is answered, once", async () => {
  await using discord = await createDiscordFake();
  await using run = await startDiscord(discord);
  const ids: string[] = [];
  for (const code of [1001, 4000, null, 4009, null, 1006]) {
    if (code === null || code === 1006) discord.gateway.cut();
    else discord.gateway.close(code);
    await discord.gateway.untilConnected();
    const id = discord.command("help");
    ids.push(id);
    await discord.shown(id);
  }
  expect(ids.map((id) => discord.seen(id).shown.length)).toEqual(ids.map(() => 1));
  expect(run.host.output()).not.toContain('"level":"error"');
});

test("Discord out of reach for a while, then back", async () => {
  await using discord = await createDiscordFake();
  await using run = await startDiscord(discord);
  discord.setDown(true);
  await discord.until(() => discord.attempts() > 3);
  discord.setDown(false);
  await run.host.waitFor(/reconnecting[\s\S]*discord\.(resumed|connected)/);
  expect(run.host.output().match(/discord\.reconnecting/g)).toHaveLength(1);
  expect(await discord.shown(discord.command("help"))).toHaveLength(1);
});

test("a Discord that is not there at start is waited for", async () => {
  await using discord = await createDiscordFake();
  discord.setDown(true);
  await using run = await startDiscord(discord, { ready: /discord\.unreachable/ });
  discord.setDown(false);
  await run.host.waitFor(/discord\.ready/);
  expect(await discord.shown(discord.command("help"))).toHaveLength(1);
});

test("a gateway that stays away is lost for good; SIGTERM while it is away ends the host all the same", async () => {
  await using discord = await createDiscordFake();
  await using run = await startDiscord(discord);
  const events: string[] = [];
  const write = (event: string) => void events.push(event);
  const service = {
    dispatch: async () => Promise.resolve(undefined),
    commands: [],
    place: { id: guildId, ownerId: null },
    startupMessage: null,
    log: { debug: () => {}, info: write, warn: write, error: write },
  };
  const deps = {
    botToken: new Secret(discordToken),
    apiRoot: discord.apiRoot,
    clock: systemClock,
    lostAfterMs: 1_500,
  };
  const ending = runDiscord(deps, service, new AbortController().signal).catch((error: unknown) => error);
  await expect.poll(() => events.includes("discord.ready")).toBe(true);
  discord.setDown(true);
  expect(await ending).toMatchObject({
    code: "chat_lost",
    message: expect.stringContaining("could not be reached for 2 s"),
  });

  const startedMs = performance.now();
  expect(await run.host.stop()).toMatchObject({ exitCode: 0 });
  expect(performance.now() - startedMs).toBeLessThan(10_000);
});
