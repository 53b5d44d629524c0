import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subcommands } from "../../src/ghauth/subcommands/subcommands.js";
import { startTelegram } from "../support/chat-machine.js";
import { createTelegramFake, group, guest, operator, type TelegramFake } from "../support/telegram-fake.js";

type Run = Awaited<ReturnType<typeof startTelegram>>;

/** What the bot's message under `asked` shows, once it is there. */
const answerTo = async (telegram: TelegramFake, asked: number) =>
  telegram.until(() =>
    telegram.callsOf("sendMessage").find(({ params }) => params.reply_parameters?.message_id === asked),
  );

/** Everything sent before this is handled by the time that it is answered. */
const catchUp = async (telegram: TelegramFake) => answerTo(telegram, telegram.say("/ghauth help"));

describe("in the chat", () => {
  let telegram: TelegramFake;
  let run: Run;
  beforeAll(async () => {
    telegram = await createTelegramFake();
    run = await startTelegram(telegram, {
      more: "startup_message = true",
      plugin: "refresh_cooldown_seconds = 0",
      env: { LOG_LEVEL: "debug" },
    });
    await run.machine.refresh();
  });
  afterAll(async () => {
    await run[Symbol.asyncDispose]();
    await telegram[Symbol.asyncDispose]();
  });

  test("status is answered in HTML, under the message that asked, with a button", async () => {
    const answer = await answerTo(telegram, telegram.say("/ghauth status"));
    expect(answer.params).toMatchObject({
      chat_id: group,
      parse_mode: "HTML",
      link_preview_options: { is_disabled: true },
      reply_markup: { inline_keyboard: [[{ callback_data: "/ghauth refresh" }]] },
    });
    expect(answer.params.text).toMatch(
      /^<b>✅ GitHub token: fresh \([^\n]+\)<\/b>\nprefix: ghs_1234…\nsha256: /,
    );
  });

  test("the menu of commands is this chat's alone, and the startup message is posted", () => {
    expect(telegram.callsOf("setMyCommands").map(({ params }) => params)).toEqual([
      {
        commands: [
          {
            command: "ghauth",
            description: `GitHub token: ${subcommands.map(({ name }) => name).join(", ")}`,
          },
        ],
        scope: { type: "chat", chat_id: group },
      },
    ]);
    expect(telegram.callsOf("sendMessage")[0]?.params.text).toBe(
      "takopi-ghauth is up. Transports: telegram. Plugins: ghauth (takopi-ghauth).",
    );
  });

  test("refresh says at once that it runs; that message becomes the result", async () => {
    const asked = telegram.say("/ghauth refresh");
    const { params } = await answerTo(telegram, asked);
    expect(params.text).toBe("Refreshing the GitHub token…");
    const edit = await telegram.until(() => telegram.callsOf("editMessageText").at(-1));
    expect(edit.params.text).toMatch(
      /^<b>✅ Refresh succeeded\.<\/b>\ntook: [\s\S]*<pre>Refreshed: token ghs_1234…/,
    );
    expect(run.machine.log().at(-1)).toMatchObject({
      trigger: "chat",
      by: `telegram:${operator.id}`,
      ok: true,
    });
  });

  test("a press of Refresh makes its message the result, which says who pressed; a second press does nothing", async () => {
    await answerTo(telegram, telegram.say("/ghauth status"));
    const shown = telegram.messageIds().at(-1) ?? 0;
    const runs = run.script.runs();
    telegram.press(shown, "ghauth:refresh");
    telegram.press(shown, "/ghauth refresh");
    await telegram.until(() => telegram.message(shown)?.text.includes("Refresh succeeded."));

    expect(telegram.message(shown)).toMatchObject({
      text: expect.stringContaining("• Pressed by Ada &lt;&amp;&gt;."),
      keyboard: [],
    });
    const toasts = telegram.callsOf("answerCallbackQuery").map(({ params }) => params.text);
    expect(toasts.slice(-2)).toEqual(expect.arrayContaining(["Already pressed.", undefined]));
    expect(run.script.runs()).toBe(runs + 1);
  });

  test("revoke asks first; a press of its button by the same user revokes", async () => {
    const before = run.machine.heldToken() ?? "";
    const asked = await answerTo(telegram, telegram.say("/ghauth revoke"));
    expect(asked.params.text).toMatch(/^<b>⚠️ Revoke the GitHub token of .*\?<\/b>/);
    expect(asked.params.reply_markup?.inline_keyboard).toMatchObject([[{ callback_data: "/ghauth revoke" }]]);
    expect(run.machine.github.isLive(before)).toBe(true);

    const shown = telegram.messageIds().at(-1) ?? 0;
    telegram.press(shown, "/ghauth revoke");
    await telegram.until(() => telegram.message(shown)?.text.includes("Revoke succeeded."));
    expect(telegram.message(shown)?.text).toContain("was revoked at GitHub");
    expect(run.machine.github.isLive(before)).toBe(false);
    expect(run.machine.github.liveTokens).toContain(run.machine.heldToken());
    expect(run.machine.log().at(-1)).toMatchObject({
      by: `telegram:${operator.id}`,
      refused_at: expect.any(String),
    });
  });

  test("somebody else's press of that button asks them, and an outsider to the list is refused", async () => {
    const before = run.machine.heldToken() ?? "";
    await answerTo(telegram, telegram.say("/ghauth revoke"));
    const shown = telegram.messageIds().at(-1) ?? 0;
    const query = telegram.press(shown, "/ghauth revoke", { from: guest });
    const alert = await telegram.until(() =>
      telegram.callsOf("answerCallbackQuery").find(({ params }) => params.callback_query_id === query),
    );
    expect(alert.params).toMatchObject({
      show_alert: true,
      text: expect.stringContaining("You may not run /ghauth revoke"),
    });
    expect(run.machine.github.isLive(before)).toBe(true);
  });

  test("a pasted token is answered by deleting the message, and by advice", async () => {
    const held = run.machine.heldToken() ?? "";
    const pasted = telegram.say(`/ghauth revoke ${held}`, { from: guest });
    const answer = await answerTo(telegram, pasted);
    expect(telegram.callsOf("deleteMessage").at(-1)?.params).toEqual({ chat_id: group, message_id: pasted });
    expect(answer.params.text).toContain("The message was deleted here");
    telegram.refuse("deleteMessage", { status: 400, description: "Bad Request: message can't be deleted" });
    const kept = await answerTo(telegram, telegram.say(`/ghauth revoke ${held}`));
    expect(kept.params.text).toContain("delete it yourself");
    expect(run.machine.github.isLive(held)).toBe(true);
    expect(run.host.output()).toContain("command.secret");
  });

  test("somebody else gets status, a short refusal for refresh, and an alert for the button", async () => {
    const runs = run.script.runs();
    const status = await answerTo(telegram, telegram.say("/ghauth status", { from: guest }));
    const refused = await answerTo(telegram, telegram.say("/ghauth Refresh", { from: guest }));
    const shown = telegram.messageIds().at(-2) ?? 0;
    const query = telegram.press(shown, "/ghauth refresh", { from: guest });
    const alert = await telegram.until(() =>
      telegram.callsOf("answerCallbackQuery").find(({ params }) => params.callback_query_id === query),
    );
    expect(status.params.text).toContain("GitHub token: fresh");
    expect(refused.params.text).toMatch(
      /^You may not run \/ghauth refresh: ask an operator .*\(your id is 43\)\.$/,
    );
    expect(alert.params).toMatchObject({
      show_alert: true,
      text: expect.stringContaining("You may not run"),
    });
    expect(telegram.message(shown)?.keyboard).toEqual(["/ghauth refresh"]);
    expect(run.script.runs()).toBe(runs);
  });

  test.each([
    [
      "an anonymous administrator",
      {
        from: { id: 1_087_968_824, is_bot: true, first_name: "Group" },
        extra: { sender_chat: { id: group, type: "supergroup", title: "ops" } },
      },
    ],
    [
      "an operator writing as a channel",
      { extra: { sender_chat: { id: -100_500, type: "channel", title: "news" } } },
    ],
    ["a bot with an operator's id", { from: { ...operator, is_bot: true } }],
  ])("%s is nobody in particular: no refresh", async (_who, options) => {
    const refused = await answerTo(telegram, telegram.say("/ghauth refresh", options));
    expect(refused.params.text).toMatch(/^You may not run .*\(this chat does not say who you are\)\.$/);
  });

  test.each([
    ["another chat", { chatId: -100_999 }],
    ["an operator's private chat that is not configured", { chatId: operator.id }],
  ])("%s gets silence, and a debug line", async (_where, options) => {
    const asked = telegram.say("/ghauth refresh", options);
    await catchUp(telegram);
    expect(
      telegram.callsOf("sendMessage").some(({ params }) => params.reply_parameters?.message_id === asked),
    ).toBe(false);
    await run.host.waitFor(
      new RegExp(`"level":"debug",[^\\n]*"event":"command.ignored"[^\\n]*"channel":"${options.chatId}"`),
    );
  });

  test.each(["hello", "/start", "/ghauth@other_bot status", "see /ghauth status"])(
    "%j is not ours: silence",
    async (text) => {
      const asked = telegram.say(text);
      await catchUp(telegram);
      expect(
        telegram.callsOf("sendMessage").some(({ params }) => params.reply_parameters?.message_id === asked),
      ).toBe(false);
    },
  );

  test("the bot's own name may follow, and case does not count", async () => {
    const answer = await answerTo(telegram, telegram.say("/GhAuth@GHAUTH_bot Status"));
    expect(answer.params.text).toContain("GitHub token: fresh");
  });

  test("an answer stays in its thread, after a press too", async () => {
    const answer = await answerTo(telegram, telegram.say("/ghauth refresh", { threadId: 77 }));
    expect(answer.params.message_thread_id).toBe(77);
    expect(telegram.messages().at(-1)?.threadId).toBe(77);
  });

  test("an update that comes again is answered once", async () => {
    const message_id = telegram.nextUpdateId();
    const update = {
      update_id: telegram.nextUpdateId(),
      message: {
        message_id,
        date: 1,
        chat: { id: group, type: "supergroup", title: "ops" },
        from: operator,
        text: "/ghauth help",
      },
    };
    telegram.push(update);
    await answerTo(telegram, message_id);
    await telegram.until(() => telegram.isPolling());
    telegram.pushAgain(update);
    await catchUp(telegram);
    const answers = telegram
      .callsOf("sendMessage")
      .filter(({ params }) => params.reply_parameters?.message_id === message_id);
    expect(answers).toHaveLength(1);
  });

  test("malformed updates break nothing", async () => {
    const unsigned = telegram.nextUpdateId();
    const chat = { id: group, type: "supergroup", title: "ops" };
    for (const update of [
      null,
      "update",
      {},
      { update_id: "x" },
      { update_id: telegram.nextUpdateId() },
      { update_id: telegram.nextUpdateId(), message: null },
      { update_id: telegram.nextUpdateId(), message: { text: "/ghauth status" } },
      { update_id: telegram.nextUpdateId(), message: { message_id: 1, date: 1, chat, text: 5 } },
      {
        update_id: telegram.nextUpdateId(),
        message: { message_id: unsigned, date: 1, chat, text: "/ghauth refresh" },
      },
      { update_id: telegram.nextUpdateId(), callback_query: { id: "1", data: "/ghauth refresh" } },
      {
        update_id: telegram.nextUpdateId(),
        callback_query: { id: "1", from: operator, data: "/ghauth refresh", message: {} },
      },
    ])
      telegram.push(update);
    const answer = await catchUp(telegram);
    expect(answer.params.text).toContain("/ghauth status");
    // Nobody's refresh is refused, and no later test may meet that answer.
    expect((await answerTo(telegram, unsigned)).params.text).toContain("refresh");
  });

  test("a 429 is obeyed", async () => {
    telegram.refuse("sendMessage", {
      status: 429,
      description: "Too Many Requests: retry after 1",
      retryAfter: 1,
    });
    const startedMs = performance.now();
    await answerTo(telegram, telegram.say("/ghauth help"));
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(1_000);
  });

  test("where its message was deleted meanwhile, the result is sent anew", async () => {
    telegram.refuse("editMessageText", {
      status: 400,
      description: "Bad Request: message to edit not found",
    });
    telegram.say("/ghauth refresh");
    const { params } = await telegram.until(() =>
      telegram.callsOf("sendMessage").find((call) => call.params.text.includes("Refresh succeeded.")),
    );
    expect(params.chat_id).toBe(group);
  });

  test("an edit that changes nothing is a success", async () => {
    telegram.refuse("editMessageText", {
      status: 400,
      description: "Bad Request: message is not modified: same",
    });
    const sent = telegram.callsOf("sendMessage").length;
    await answerTo(telegram, telegram.say("/ghauth refresh"));
    await telegram.until(() => telegram.refused.some((refusal) => refusal.includes("not modified")));
    await catchUp(telegram);
    expect(telegram.callsOf("sendMessage")).toHaveLength(sent + 2);
    expect(run.host.output()).not.toMatch(/"event":"telegram\.answer_failed"[^\n]*not modified/);
  });

  test("nothing but what a test refused on purpose was refused", () => {
    expect(
      telegram.refused.filter(
        (refusal) => !/can't be deleted|Too Many|edit not found|not modified/.test(refusal),
      ),
    ).toEqual([]);
  });
});

describe("the rest of a bot's life", () => {
  test("an empty list means nobody, which is said at start; in a private chat its own user may", async () => {
    await using telegram = await createTelegramFake({ chats: [group, operator.id] });
    await using run = await startTelegram(telegram, { users: [] });
    const refused = await answerTo(telegram, telegram.say("/ghauth refresh"));
    expect(refused.params.text).toMatch(/^You may not run/);
    expect(run.host.output()).toMatch(
      /"level":"warn"[^\n]*allowed_user_ids is empty: nobody may run \/ghauth refresh there\./,
    );

    await using own = await createTelegramFake({ chats: [operator.id] });
    await using privately = await startTelegram(own, { users: [], chatId: operator.id });
    const running = await answerTo(own, own.say("/ghauth refresh", { chatId: operator.id }));
    expect(running.params.text).toBe("Refreshing the GitHub token…");
    expect(privately.host.output()).not.toContain("access.nobody");
  });

  test("what was sent while the bot was down is ignored; an output with < and & at any length is shown", async () => {
    await using telegram = await createTelegramFake();
    telegram.say("/ghauth status");
    await using run = await startTelegram(telegram);
    run.machine.write(
      run.machine.paths.refreshScript,
      "#!/bin/sh\nyes '<b>&amp;</pre>' | head -200\nexit 75\n",
      0o755,
    );
    await answerTo(telegram, telegram.say("/ghauth refresh"));
    const edit = await telegram.until(() => telegram.callsOf("editMessageText").at(-1));
    expect(edit.params.text).toContain("&lt;b&gt;&amp;amp;&lt;/pre&gt;");
    expect(telegram.messages()).toHaveLength(1);
    expect(telegram.refused).toEqual([]);
  });

  test("another program that polls for a moment is told of, and waited for", async () => {
    await using telegram = await createTelegramFake();
    await using run = await startTelegram(telegram);
    const polls = telegram.callsOf("getUpdates").length;
    void fetch(`${telegram.apiRoot}/bot${telegram.token}/getUpdates`, {
      method: "POST",
      body: '{"timeout":1}',
    });
    await run.host.waitFor(/Another program polls with this bot token \(Takopi itself\? then use the shim\)/);
    await telegram.until(() => telegram.callsOf("getUpdates").length > polls + 1);
    expect((await catchUp(telegram)).params.text).toContain("/ghauth status");
  });

  test.each([
    [401, "Unauthorized"],
    [404, "Not Found"],
  ])("a bot token that Telegram refuses with %i ends the host with 78", async (status, description) => {
    await using telegram = await createTelegramFake();
    telegram.refuse("getMe", { status, description });
    await using run = await startTelegram(telegram, { ready: /host\.started/ });
    const { exitCode, stderr } = await run.host.ended;
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/Telegram refuses the bot token \(\w[\w ]+\): put the one from @BotFather/);
  });
});
