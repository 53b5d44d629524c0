import { createMachine, executables, type Machine } from "./machine.js";
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
    more = "",
  }: { chatId?: number; users?: number[]; more?: string } = {},
): string {
  return `[transports.telegram]
bot_token = "${telegramToken}"
chat_id = ${chatId}
allowed_user_ids = [${users.join(", ")}]
api_root = "${apiRoot}"
${more}
`;
}

/** A machine with a Telegram host that is up. */
export async function startTelegram(
  telegram: TelegramFake,
  {
    plugin = "",
    env = {},
    ...table
  }: { plugin?: string; env?: Record<string, string> } & Parameters<typeof telegramTable>[1] = {},
) {
  const machine = await createMachine();
  const script = installScript(machine);
  machine.write(
    machine.paths.takopiConfig,
    `transport = "telegram"\n${telegramTable(telegram, table)}\n[plugins.ghauth]\n${plugin}\n`,
  );
  const host = await machine.startHost(/telegram\.ready/, { env });
  await telegram.until(() => telegram.callsOf("getUpdates").length > 0);
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
