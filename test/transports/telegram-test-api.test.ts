import { Server } from "node:http";
import { TelegramServer } from "telegram-test-api/lib/telegramServer.js";
import { expect, test } from "vitest";
import { installScript, telegramTable } from "../support/chat-machine.js";
import { createMachine } from "../support/machine.js";
import { operator, telegramToken } from "../support/telegram-fake.js";

/** A server on a port of the system's choice: its own default is a fixed one, and it takes 0 for none given. */
async function startServer(): Promise<TelegramServer> {
  const server = new TelegramServer({ host: "127.0.0.1" });
  Object.assign(server.config, { port: 0 });
  await server.start();
  const listener: unknown = Reflect.get(server, "server");
  const address = listener instanceof Server ? listener.address() : null;
  server.config.apiURL = `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`;
  return server;
}

test("somebody else's Telegram: a message, its keyboard, a press, the edit, a thread", async () => {
  const server = await startServer();
  const machine = await createMachine();
  try {
    installScript(machine);
    machine.write(
      machine.paths.takopiConfig,
      `transport = "telegram"\n${telegramTable({ apiRoot: server.config.apiURL }, { chatId: operator.id })}`,
    );
    // It knows no setMyCommands: that must not matter.
    const host = await machine.startHost(/telegram\.menu_failed/);
    await host.waitFor(/telegram\.ready/);
    const client = server.getClient(telegramToken, {
      userId: operator.id,
      chatId: operator.id,
      timeout: 10_000,
    });
    const shown = () =>
      server.storage.botMessages.map(({ messageId, message }) => ({
        messageId,
        ...message,
        text: String(Reflect.get(message, "text")),
      }));
    const until = async (check: () => boolean) => {
      await expect.poll(check).toBe(true);
    };

    await client.sendCommand(
      client.makeCommand("/ghauth status", { message_thread_id: 5, is_topic_message: true }),
    );
    await until(() => shown().length === 1);
    expect(shown()[0]).toMatchObject({
      text: expect.stringContaining("GitHub token: missing"),
      message_thread_id: 5,
      reply_markup: { inline_keyboard: [[{ callback_data: "/ghauth refresh" }]] },
    });

    const { messageId = 0 } = shown()[0] ?? {};
    await client.sendCallback(
      client.makeCallbackQuery("/ghauth refresh", { message: { message_id: messageId } }),
    );
    await until(() => shown()[0]?.text.includes("Refresh succeeded.") === true);
    expect(shown()).toHaveLength(1);
    expect(shown()[0]?.text).toContain("Pressed by TestName.");
    expect(await host.stop()).toMatchObject({ exitCode: 0 });
    machine.sayInChat(JSON.stringify(shown()));
  } finally {
    await server.stop();
    await machine[Symbol.asyncDispose]();
  }
});
