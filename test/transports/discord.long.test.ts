import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subcommands } from "../../src/ghauth/subcommands/subcommands.js";
import { startDiscord } from "../support/chat-machine.js";
import { createDiscordFake, type DiscordFake } from "../support/discord-fake.js";
import { applicationId, guestId, guildId, type Json, operatorRole } from "../support/discord-shapes.js";

type Run = Awaited<ReturnType<typeof startDiscord>>;

/** Everything sent before this is handled by the time that it is answered. */
const catchUp = async (discord: DiscordFake) => discord.shown(discord.command("help"));

describe("in the server", () => {
  let discord: DiscordFake;
  let run: Run;
  const others: Json = {
    id: "1199",
    application_id: applicationId,
    version: "1",
    default_member_permissions: null,
    type: 1,
    name: "other",
    description: "not ours",
  };
  beforeAll(async () => {
    discord = await createDiscordFake({ stored: [others] });
    run = await startDiscord(discord, {
      roles: [operatorRole],
      more: "startup_message = true",
      plugin: "refresh_cooldown_seconds = 0",
    });
    await run.machine.refresh();
  });
  afterAll(async () => {
    await run[Symbol.asyncDispose]();
    await discord[Symbol.asyncDispose]();
  });

  test("its command is registered in the server, with subcommands, and other commands are left alone", () => {
    const writes = discord.requests.filter(
      ({ method, path }) => method !== "GET" && path.includes("/commands"),
    );
    expect(writes).toMatchObject([
      {
        method: "POST",
        path: `/applications/${applicationId}/guilds/${guildId}/commands`,
        body: {
          name: "ghauth",
          default_member_permissions: null,
          options: subcommands.map(({ name }) => ({ type: 1, name })),
        },
      },
    ]);
    expect(discord.commands()).toContainEqual(others);
  });

  test("the startup message goes to the system messages channel", async () => {
    const [message] = await discord.until(() => discord.posted.length > 0 && discord.posted);
    expect(message).toMatchObject({
      content: "takopi-ghauth is up. Transports: discord. Plugins: ghauth (takopi-ghauth).",
    });
  });

  test("history takes its hours from an option, a whole number within bounds", async () => {
    const registered = discord.commands().find(({ name }) => name === "ghauth");
    expect(registered?.["options"]).toContainEqual(
      expect.objectContaining({
        name: "history",
        options: [expect.objectContaining({ type: 4, name: "hours", min_value: 1, max_value: 168 })],
      }),
    );
    const [shown] = await discord.shown(
      discord.command("history", undefined, [{ type: 4, name: "hours", value: 48 }]),
    );
    expect(shown).toMatchObject({
      embeds: [
        {
          title: `✅ GitHub token, last 48 h: working all the time (${hostname()})`,
          description: expect.stringMatching(/^(?:⬜{8}\n){4}\w{3} \d\d:\d\d – /u),
        },
      ],
    });
  });

  test("status is deferred at once, and then an embed with relative times that its sender alone sees", async () => {
    const id = discord.command("status");
    const [shown] = await discord.shown(id);
    expect(discord.seen(id)).toMatchObject({ callbacks: [5], isEphemeral: true });
    expect(shown).toMatchObject({
      embeds: [
        {
          title: `✅ GitHub token: fresh (${hostname()})`,
          color: 0x2ea043,
          description: expect.stringMatching(
            /\*\*prefix\*\*: ghs\\_1234…\n[\s\S]*\*\*time left\*\*: <t:\d+:R>\n\*\*last refresh\*\*: \w+, succeeded, <t:\d+:R>/,
          ),
        },
      ],
      components: [{ components: [{ custom_id: "/ghauth refresh" }] }],
    });
  });

  test("free text in an args option is taken as well", async () => {
    const [shown] = await discord.shown(discord.freeText("status"));
    expect(shown).toMatchObject({ embeds: [{ title: `✅ GitHub token: fresh (${hostname()})` }] });
  });

  test("refresh shows at once that it runs, and becomes the result", async () => {
    const shown = await discord.shown(discord.command("refresh"), 2);
    expect(shown).toMatchObject([
      { embeds: [{ description: "Refreshing the GitHub token…" }] },
      {
        embeds: [
          {
            title: "✅ Refresh succeeded.",
            description: expect.stringContaining("```\nRefreshed: token ghs_1234"),
          },
        ],
      },
    ]);
    expect(run.machine.log().at(-1)).toMatchObject({ trigger: "chat", ok: true });
  });

  test("a pressed button edits its message in place", async () => {
    const id = discord.press("/ghauth refresh");
    const shown = await discord.shown(id, 2);
    expect(discord.seen(id).callbacks).toEqual([6]);
    expect(shown.at(-1)).toMatchObject({ embeds: [{ title: "✅ Refresh succeeded." }], components: [{}] });
  });

  test("revoke asks first; its button, which looks dangerous, revokes", async () => {
    const before = run.machine.heldToken() ?? "";
    const [asked] = await discord.shown(discord.command("revoke"));
    expect(asked).toMatchObject({
      embeds: [{ title: expect.stringMatching(/^⚠️ Revoke the GitHub token of /) }],
      components: [{ components: [{ custom_id: "/ghauth revoke", style: 4, label: "Revoke" }] }],
    });
    const shown = await discord.shown(discord.press("/ghauth revoke"), 2);
    expect(shown.at(-1)).toMatchObject({ embeds: [{ title: "✅ Revoke succeeded." }] });
    expect(run.machine.github.isLive(before)).toBe(false);
  });

  test("a pasted token is answered by advice that its sender alone sees", async () => {
    const id = discord.freeText(`revoke ${run.machine.heldToken() ?? ""}`);
    const [shown] = await discord.shown(id);
    expect(shown).toMatchObject({
      embeds: [{ description: expect.stringContaining("Nobody but you has seen it in this chat.") }],
    });
    expect(discord.seen(id)).toMatchObject({ isEphemeral: true });
  });

  test("a role may allow what a user's id does not", async () => {
    const shown = await discord.shown(
      discord.command("refresh", { userId: guestId, roleIds: [operatorRole] }),
      2,
    );
    expect(shown.at(-1)).toMatchObject({ embeds: [{ title: "✅ Refresh succeeded." }] });
  });

  test("somebody else gets status, and a refusal for refresh and for the button that they alone see", async () => {
    const runs = run.script.runs();
    const [status] = await discord.shown(discord.command("status", { userId: guestId }));
    const command = discord.command("refresh", { userId: guestId });
    const button = discord.press("/ghauth refresh", { userId: guestId });
    expect(status).toMatchObject({ embeds: [{ title: `✅ GitHub token: fresh (${hostname()})` }] });
    for (const id of [command, button]) {
      const [refusal] = await discord.shown(id);
      expect(refusal).toMatchObject({
        embeds: [{ description: expect.stringContaining("You may not run /ghauth refresh") }],
      });
      expect(discord.seen(id)).toMatchObject({ callbacks: [4], isEphemeral: true });
    }
    expect(run.script.runs()).toBe(runs);
  });

  test.each([
    ["another server", { guild: "1100000000000000999" }],
    ["a private chat with the bot", { guild: null }],
  ])("%s gets silence", async (_where, sender) => {
    const id = discord.command("status", sender);
    await catchUp(discord);
    expect(discord.seen(id).callbacks).toEqual([]);
  });

  test("somebody else's button and command are not ours to answer", async () => {
    const id = discord.press("poll:yes");
    await catchUp(discord);
    expect(discord.seen(id).callbacks).toEqual([]);
  });

  test("an interaction that is too old is dropped quietly, and its refresh is not run", async () => {
    const runs = run.script.runs();
    discord.command("refresh", { isLate: true });
    await run.host.waitFor(
      /"level":"warn"[^\n]*"event":"command\.dropped"[^\n]*"reason":"Unknown interaction"/,
    );
    expect(run.script.runs()).toBe(runs);
  });

  test("an interaction from nobody and other malformed events break nothing", async () => {
    discord.gateway.send("INTERACTION_CREATE", {
      id: "1200000000000000900",
      application_id: applicationId,
      type: 2,
      token: "x",
      version: 1,
      data: { id: "1", name: "ghauth", type: 1 },
    });
    discord.gateway.send("INTERACTION_CREATE", {});
    discord.gateway.send("NO_SUCH_EVENT", { a: 1 });
    await run.host.waitFor(/"event":"host\.unhandled_rejection"/);
    expect(await catchUp(discord)).toHaveLength(1);
  });

  test("a 429 is obeyed", async () => {
    discord.refuse(/^PATCH \/webhooks/, {
      status: 429,
      body: { message: "You are being rate limited.", retry_after: 1, global: false },
      headers: { "retry-after": "1", "x-ratelimit-scope": "user" },
    });
    const id = discord.command("help");
    await discord.shown(id);
    expect(performance.now() - discord.seen(id).sentAtMs).toBeGreaterThanOrEqual(1_000);
  });

  test("Discord failing for a moment costs no answer, and brings none twice", async () => {
    discord.refuse(/^POST \/interactions/, { status: 502, body: { message: "Bad Gateway" } });
    discord.refuse(/^PATCH \/webhooks/, { status: 500, body: { message: "Internal Server Error" } });
    const shown = await discord.shown(discord.command("help"));
    expect(shown).toHaveLength(1);
  });

  test("a connection that was cut is resumed, and what was missed is answered, once", async () => {
    discord.gateway.cut();
    const id = discord.command("help");
    await discord.shown(id);
    await catchUp(discord);
    expect(discord.gateway.seen).toEqual(["identify", "resume"]);
    expect(discord.seen(id).shown).toHaveLength(1);
  });

  test("all requests and answers were as Discord's schemas have them, and mentioned nobody", () => {
    expect([...discord.problems, ...discord.gateway.problems]).toEqual([]);
  });

  test("SIGTERM ends it within 5 s, with 0", async () => {
    const startedMs = performance.now();
    expect(await run.host.stop()).toMatchObject({ exitCode: 0 });
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });
});

describe("the rest of a bot's life", () => {
  test("a command that already stands so is not written again", async () => {
    await using first = await createDiscordFake();
    await using before = await startDiscord(first);
    await before.host.stop();
    const stored = first
      .commands()
      .map((command) => Object.assign(command, { options: optionsWithDefaults(command["options"]) }));
    await using discord = await createDiscordFake({ stored });
    await using run = await startDiscord(discord);
    expect(run.host.output()).toMatch(/"event":"discord\.ready"[^\n]*"registered":\[\]/);
    expect(new Set(discord.requests.map(({ method }) => method))).toEqual(new Set(["GET"]));
  });

  test("a command that was hidden from members without a permission is shown to all", async () => {
    await using first = await createDiscordFake();
    await using before = await startDiscord(first);
    await before.host.stop();
    const stored = first
      .commands()
      .map((command) => Object.assign(command, { default_member_permissions: "32" }));
    await using discord = await createDiscordFake({ stored });
    await using run = await startDiscord(discord);
    expect(run.host.output()).toMatch(/"discord\.ready"[^\n]*"registered":\["ghauth"\]/);
    expect(discord.commands()).toMatchObject([{ name: "ghauth", default_member_permissions: null }]);
  });

  test("without a server the command is global, and only allowed users are answered", async () => {
    await using discord = await createDiscordFake();
    await using run = await startDiscord(discord, { guild: null });
    const stranger = discord.command("status", { userId: guestId });
    const [shown] = await discord.shown(discord.command("status"));
    await catchUp(discord);
    expect(shown).toMatchObject({ embeds: [{ title: `❌ GitHub token: missing (${hostname()})` }] });
    expect(discord.seen(stranger).callbacks).toEqual([]);
    expect(discord.commands()).toMatchObject([{ name: "ghauth", contexts: [0] }]);
    expect(run.host.output()).not.toContain("access.nobody");
  });

  test("empty lists mean nobody, and that is said at start", async () => {
    await using discord = await createDiscordFake();
    await using run = await startDiscord(discord, { users: [] });
    const [shown] = await discord.shown(discord.command("refresh"));
    expect(shown).toMatchObject({ embeds: [{ description: expect.stringContaining("You may not run") }] });
    expect(run.host.output()).toMatch(
      /"level":"warn"[^\n]*allowed_user_ids and allowed_role_ids are empty: nobody may run \/ghauth refresh/,
    );
  });

  test("a bot that was not invited says how to, and goes on", async () => {
    await using discord = await createDiscordFake();
    discord.refuse(/^GET \/applications/, { status: 403, body: { code: 50_001, message: "Missing Access" } });
    await using run = await startDiscord(discord, { ready: /discord\.registration_failed/ });
    expect(run.host.output()).toContain(
      `https://discord.com/oauth2/authorize?client_id=${applicationId}&scope=bot+applications.commands`,
    );
    expect(await catchUp(discord)).toHaveLength(1);
  });

  test.each([
    [4004, 78, /Discord refuses the bot: the bot token is not valid \(4004\)/],
    [4014, 78, /Discord refuses the bot: the bot may not use the Guilds intent \(4014\)/],
    [4012, 75, /Discord ended the connection for good \(4012\)/],
  ])("a gateway that closes with %i ends the host with %i", async (code, exit, sentence) => {
    await using discord = await createDiscordFake({ refuseWith: code });
    await using run = await startDiscord(discord, { ready: /host\.started/ });
    const { exitCode, stderr } = await run.host.ended;
    expect(stderr).toMatch(sentence);
    expect(exitCode).toBe(exit);
  });

  test("a token that the REST side refuses ends the host with 78", async () => {
    await using discord = await createDiscordFake();
    discord.refuse(/^GET \/gateway\/bot/, { status: 401, body: { code: 0, message: "401: Unauthorized" } });
    await using run = await startDiscord(discord, { ready: /host\.started/ });
    const { exitCode, stderr } = await run.host.ended;
    expect(stderr).toMatch(/Discord refuses the bot: the bot token is not valid/);
    expect(exitCode).toBe(78);
  });
});

/** Discord adds such members to what it stores. */
function optionsWithDefaults(options: unknown): unknown {
  return Array.isArray(options)
    ? options.map((option: unknown) => Object.assign({ required: false }, option))
    : options;
}
