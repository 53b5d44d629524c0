import { createMachine, executables, type Machine } from "./machine.js";
import type { DiscordFake } from "./discord-fake.js";
import { discordToken, guildId, operatorId } from "./discord-shapes.js";
import { group, operator, type TelegramFake, telegramToken } from "./telegram-fake.js";

/** Puts the real refresh script, with `before` run ahead of it, where the operator's is; it counts its runs. */
export function installScript(machine: Machine, before = ""): { runs: () => number } {
  const count = `${machine.root}/runs`;
  machine.write(count, "");
  machine.write(
    machine.paths.refreshScript,
    `#!/bin/sh\necho run >> '${count}'\n${before}\nexec '${executables.refresh}' "$@"\n`,
    0o755,
  );
  return { runs: () => machine.read(count).split("run").length - 1 };
}

export function telegramTable(
  { apiRoot }: Pick<TelegramFake, "apiRoot">,
  {
    chatId = group,
    users = [operator.id],
    token = `bot_token = "${telegramToken}"`,
    more = "",
  }: { chatId?: number; users?: number[]; token?: string; more?: string } = {},
): string {
  return `[transports.telegram]
${token}
chat_id = ${chatId}
allowed_user_ids = [${users.join(", ")}]
api_root = "${apiRoot}"
${more}
`;
}

type HostOptions = { plugin?: string; env?: Record<string, string>; ready?: RegExp };

/** A machine with a Telegram host that is up. */
export async function startTelegram(
  telegram: TelegramFake,
  { plugin = "", env = {}, ready, ...table }: HostOptions & Parameters<typeof telegramTable>[1] = {},
) {
  const machine = await createMachine();
  const script = installScript(machine);
  machine.write(
    machine.paths.takopiConfig,
    `transport = "telegram"\n${telegramTable(telegram, table)}\n[plugins.ghauth]\n${plugin}\n`,
  );
  const host = await machine.startHost(ready ?? /telegram\.ready/, { env });
  if (!ready) await telegram.until(() => telegram.callsOf("getUpdates").length > 0);
  return {
    machine,
    script,
    host,
    [Symbol.asyncDispose]: async () => {
      machine.sayInChat(telegram.said());
      await machine[Symbol.asyncDispose]();
    },
  };
}

export function discordTable(
  { apiRoot }: Pick<DiscordFake, "apiRoot">,
  {
    users = [operatorId],
    roles = [],
    guild = guildId,
    more = "",
  }: { users?: string[]; roles?: string[]; guild?: string | null; more?: string } = {},
): string {
  return `[transports.discord]
bot_token = "${discordToken}"
${guild === null ? "" : `guild_id = ${guild}`}
allowed_user_ids = ${JSON.stringify(users)}
allowed_role_ids = ${JSON.stringify(roles)}
api_root = "${apiRoot}"
${more}
`;
}

/** A machine with a Discord host that is up. */
export async function startDiscord(
  discord: DiscordFake,
  { plugin = "", env = {}, ready, ...table }: HostOptions & Parameters<typeof discordTable>[1] = {},
) {
  const machine = await createMachine();
  const script = installScript(machine);
  machine.write(
    machine.paths.takopiConfig,
    `transport = "discord"\n${discordTable(discord, table)}\n[plugins.ghauth]\n${plugin}\n`,
  );
  const host = await machine.startHost(ready ?? /discord\.ready/, { env });
  return {
    machine,
    script,
    host,
    [Symbol.asyncDispose]: async () => {
      machine.sayInChat(discord.said());
      await machine[Symbol.asyncDispose]();
    },
  };
}
