import { expect, test } from "vitest";
import { startDiscord } from "../support/chat-machine.js";
import { createDiscordFake } from "../support/discord-fake.js";

test("/ghauth status is deferred at once, and then an embed that its sender alone sees", async () => {
  await using discord = await createDiscordFake();
  await using run = await startDiscord(discord);
  await run.machine.refresh();

  const id = discord.command("status");
  const [shown] = await discord.shown(id);

  expect(discord.seen(id)).toMatchObject({ callbacks: [5], isEphemeral: true });
  expect(shown).toMatchObject({
    embeds: [
      {
        title: "✅ GitHub token: fresh",
        color: 0x2ea043,
        description: expect.stringMatching(
          /\*\*prefix\*\*: ghs\\_1234…\n[\s\S]*\*\*time left\*\*: <t:\d+:R>/,
        ),
      },
    ],
    components: [{ components: [{ custom_id: "/ghauth refresh" }] }],
  });
  expect(discord.problems).toEqual([]);
});

test("/ghauth refresh shows at once that it runs, and becomes the result", async () => {
  await using discord = await createDiscordFake();
  await using run = await startDiscord(discord);

  const shown = await discord.shown(discord.command("refresh"), 2);

  expect(shown).toMatchObject([
    { embeds: [{ description: "Refreshing the GitHub token…" }] },
    { embeds: [{ title: "✅ Refresh succeeded." }] },
  ]);
  expect(run.machine.log()).toMatchObject([{ trigger: "chat", ok: true }]);
  expect(await run.host.stop()).toMatchObject({ exitCode: 0 });
  expect(discord.problems).toEqual([]);
});
