import { afterAll, beforeAll, expect, test } from "vitest";
import { discordTable, installScript, telegramTable } from "../support/chat-machine.js";
import { createDiscordFake, type DiscordFake } from "../support/discord-fake.js";
import { createMachine, type Machine, type RunningProcess } from "../support/machine.js";
import { createTelegramFake, type TelegramFake } from "../support/telegram-fake.js";

let telegram: TelegramFake;
let discord: DiscordFake;
let machine: Machine;
let host: RunningProcess;
let script: { runs: () => number };

beforeAll(async () => {
  telegram = await createTelegramFake();
  discord = await createDiscordFake();
  machine = await createMachine();
  script = installScript(machine, "sleep 1");
  machine.write(
    machine.paths.takopiConfig,
    `transport = ["telegram", "discord"]\n${telegramTable(telegram)}${discordTable(discord)}`,
  );
  host = machine.startGhauth(["run"]);
  await Promise.all([host.waitFor(/telegram\.ready/), host.waitFor(/discord\.ready/)]);
  await telegram.until(() => telegram.isPolling());
});

afterAll(async () => {
  machine.sayInChat(telegram.said() + discord.said());
  await machine[Symbol.asyncDispose]();
  await telegram[Symbol.asyncDispose]();
  await discord[Symbol.asyncDispose]();
});

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

test("200 /ghauth status at once in each chat are all answered, once each, and Discord's within its 3 s", async () => {
  const asked = times(200, () => telegram.say("/ghauth status"));
  const interactions = times(200, () => discord.command("status"));

  await telegram.until(() => telegram.callsOf("sendMessage").length >= 200);
  await Promise.all(interactions.map(async (id) => discord.shown(id)));
  await telegram.until(() => telegram.callsOf("sendMessage").length >= 200);

  const answered = telegram
    .callsOf("sendMessage")
    .map(({ params }) => params.reply_parameters?.message_id ?? 0);
  expect(answered.sort((a, b) => a - b)).toEqual(asked);
  for (const id of interactions) {
    const { shown, callbacks, answeredAtMs, sentAtMs } = discord.seen(id);
    expect({ shown: shown.length, callbacks }).toEqual({ shown: 1, callbacks: [5] });
    expect((answeredAtMs ?? Number.POSITIVE_INFINITY) - sentAtMs).toBeLessThan(3_000);
  }
});

test("/ghauth refresh 50 times at once from both chats runs the script once; who comes second is told so", async () => {
  const before = telegram.messages().length;
  times(25, () => telegram.say("/ghauth refresh"));
  const interactions = times(25, () => discord.command("refresh"));

  const isDone = ({ text }: { text: string }) => text.includes("Refresh succeeded.");
  await telegram.until(() => telegram.messages().filter((message) => isDone(message)).length === 25);
  const shown = await Promise.all(interactions.map(async (id) => discord.shown(id, 2)));

  expect(script.runs()).toBe(1);
  expect(telegram.messages()).toHaveLength(before + 25);
  expect(shown.map(({ length }) => length)).toEqual(times(25, () => 2));
  const firstWords = [
    ...telegram
      .callsOf("sendMessage")
      .slice(-25)
      .map(({ params }) => params.text),
    ...shown.map(([first]) => JSON.stringify(first)),
  ];
  expect(
    firstWords.filter((text) => text.includes("A refresh is already running: waiting for it…")),
  ).toHaveLength(49);
});

test("both chats were spoken to as they want to be", () => {
  expect([...telegram.refused, ...discord.problems, ...discord.gateway.problems]).toEqual([]);
  expect(host.output()).not.toContain('"level":"error"');
});
