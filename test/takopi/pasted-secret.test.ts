import { expect, test } from "vitest";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import { systemClock } from "../../src/system/clock.js";
import type { AccessPolicy } from "../../src/takopi/access.js";
import type { CommandExecutor } from "../../src/takopi/command-backend.js";
import { createDispatch } from "../../src/takopi/dispatch.js";
import { defaultTakopiConfig } from "../../src/takopi/takopi-config.js";
import { makeDirectory } from "../support/programs.js";

const access: AccessPolicy = {
  place: { id: "-5", ownerId: null },
  userIds: new Set(["42"]),
  roleIds: new Set(),
};
const token = `ghs_${"Planted9".repeat(5)}`;

/** A chat whose messages the bot may, or may not, take back. */
function createChat(withdraw?: CommandExecutor["withdraw"]) {
  const home = makeDirectory();
  let ran = false;
  const command = createGhauthCommand({ clock: systemClock, env: { HOME: home } });
  const watched = {
    ...command,
    handle: async () => {
      ran = true;
      return undefined;
    },
  };
  const dispatch = createDispatch(
    new Map([["ghauth", watched]]),
    defaultTakopiConfig(`${home}/takopi.toml`),
    {
      transport: "telegram",
      access,
    },
  );
  return {
    ran: () => ran,
    say: async (text: string, senderId = "42", channelId = "-5") =>
      dispatch({
        text,
        message: { channelId, messageId: "7", threadId: null, senderId, raw: null },
        replyTo: null,
        replyText: null,
        executor: { send: async () => null, edit: async () => {}, ...(withdraw && { withdraw }) },
      }),
  };
}

test.each([
  ["a token", `/ghauth revoke ${token}`],
  ["a token, by another way in", `/ghauth status ${token}`],
  ["a token alone", `/ghauth ${token}`],
  ["a token in quotes", `/ghauth@ghauth_bot Revoke "${token}"`],
  ["a token over two lines", `/ghauth revoke ${token.slice(0, 20)}\n${token.slice(20)}`],
  ["a PAT", `/ghauth revoke github_pat_${"11ABCDEFG0".repeat(5)}`],
  ["a piece of a token without its head", "/ghauth revoke 4f7Hq2LmZp9X"],
])(
  "%s is never a way to revoke: the message goes, advice comes, the token is not repeated",
  async (_what, text) => {
    let taken = 0;
    const chat = createChat(async () => {
      taken++;
      return "deleted";
    });
    const reply = await chat.say(text);
    expect({ taken, ran: chat.ran() }).toEqual({ taken: 1, ran: false });
    expect(reply).toMatchObject({ level: "warn", actions: [] });
    expect(reply?.text).toMatch(
      /^That message seems to hold a token or a key\. Nothing was run\.\n- The message was deleted here;/,
    );
    expect(reply?.text).toContain("send /ghauth revoke alone");
    const pasted = text.split(/[\s"]+/).filter((word) => word.length > 8 && !word.startsWith("/"));
    expect(pasted.filter((word) => JSON.stringify(reply).includes(word))).toEqual([]);
  },
);

test("so it is for whoever may not revoke, and not for whom this chat does not serve", async () => {
  let taken = 0;
  const chat = createChat(async () => {
    taken++;
    return "deleted";
  });
  expect((await chat.say(`/ghauth revoke ${token}`, "43"))?.text).toContain("The message was deleted here");
  expect(await chat.say(`/ghauth revoke ${token}`, "42", "-6")).toBeUndefined();
  expect(taken).toBe(1);
});

test.each<[string, CommandExecutor["withdraw"], RegExp]>([
  ["cannot be taken back", undefined, /may not be deleted from here: delete it yourself\./],
  [
    "may not be taken back",
    async () => {
      throw new Error("message can't be deleted");
    },
    /may not be deleted from here: delete it yourself\./,
  ],
  ["nobody else saw", async () => "unseen", /Nobody but you has seen it/],
])("of a message that %s, its sender is told so", async (_what, withdraw, says) => {
  const reply = await createChat(withdraw).say(`/ghauth revoke ${token}`);
  expect(reply?.text).toMatch(says);
});

test.each([
  "/ghauth revoke",
  "/ghauth revoke please",
  "/ghauth history 24",
  "/ghauth what-is-a-github-token",
])("%s holds none", async (text) => {
  const chat = createChat();
  await chat.say(text);
  expect(chat.ran()).toBe(true);
});
