import { expect, test } from "vitest";
import { startTelegram } from "../support/chat-machine.js";
import { createTelegramFake } from "../support/telegram-fake.js";

test("/ghauth status is answered in the chat, in HTML, under the message that asked", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);
  await run.machine.refresh();

  const asked = telegram.say("/ghauth status");
  const [answer] = await telegram.until(
    () => telegram.callsOf("sendMessage").length > 0 && telegram.callsOf("sendMessage"),
  );

  expect(answer?.params).toMatchObject({
    parse_mode: "HTML",
    reply_parameters: { message_id: asked },
    link_preview_options: { is_disabled: true },
    reply_markup: { inline_keyboard: [[{ callback_data: "/ghauth refresh" }]] },
  });
  expect(answer?.params.text).toMatch(/^<b>✅ GitHub token: fresh<\/b>\nprefix: ghs_1234…\nsha256: /);
  expect(telegram.refused).toEqual([]);
});

test("/ghauth refresh says at once that it runs; that message becomes the result", async () => {
  await using telegram = await createTelegramFake();
  await using run = await startTelegram(telegram);

  telegram.say("/ghauth refresh");
  const [edit] = await telegram.until(
    () => telegram.callsOf("editMessageText").length > 0 && telegram.callsOf("editMessageText"),
  );

  const sent = telegram.callsOf("sendMessage");
  expect(sent.map(({ params }) => params.text)).toEqual(["Refreshing the GitHub token…"]);
  expect(edit?.params.text).toMatch(
    /^<b>✅ Refresh succeeded\.<\/b>\ntook: [\s\S]*<pre>Refreshed: token ghs_1234…/,
  );
  expect(telegram.messages()).toHaveLength(1);
  expect(run.machine.log()).toMatchObject([{ trigger: "chat", ok: true }]);
  expect(await run.host.stop()).toMatchObject({ exitCode: 0 });
  expect(telegram.refused).toEqual([]);
});
