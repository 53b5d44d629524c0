import { expect, test } from "vitest";
import { type AccessPolicy, admitsNobody, judge, type Origin } from "../../src/takopi/access.js";

const policy = (place: AccessPolicy["place"], users: string[] = [], roles: string[] = []): AccessPolicy => ({
  place,
  userIds: new Set(users),
  roleIds: new Set(roles),
});
const from = (senderId: string | null, more: Partial<Origin> = {}): Origin => ({
  channelId: "-5",
  guildId: null,
  senderId,
  roleIds: [],
  ...more,
});
const chat = { type: "chat", id: "-5" } as const;
const guild = { type: "guild", id: "9" } as const;

test.each([
  ["an allowed user in the chat", from("42"), policy(chat, ["42"]), "operator"],
  ["an allowed user elsewhere", from("42", { channelId: "-6" }), policy(chat, ["42"]), "outsider"],
  ["somebody else in the chat", from("43"), policy(chat, ["42"]), "guest"],
  ["an unknown sender in the chat", from(null), policy(chat, ["42"]), "guest"],
  ["anybody, with an empty list", from("42"), policy(chat), "guest"],
  [
    "the user of a private chat",
    from("42", { channelId: "42" }),
    policy({ type: "chat", id: "42" }),
    "operator",
  ],
  ["somebody whose id is the group's", from("-5"), policy(chat), "guest"],
  [
    "an allowed role in the guild",
    from("43", { guildId: "9", roleIds: ["7"] }),
    policy(guild, [], ["7"]),
    "operator",
  ],
  [
    "an allowed role of an unknown sender",
    from(null, { guildId: "9", roleIds: ["7"] }),
    policy(guild, [], ["7"]),
    "guest",
  ],
  [
    "an allowed role in another guild",
    from("43", { guildId: "8", roleIds: ["7"] }),
    policy(guild, [], ["7"]),
    "outsider",
  ],
  ["an allowed user anywhere", from("42"), policy(null, ["42"]), "operator"],
  ["somebody else anywhere", from("43"), policy(null, ["42"]), "outsider"],
])("%s", (_who, origin, rules, standing) => {
  expect(judge(origin, rules)).toBe(standing);
});

test("empty lists admit nobody, but for a private chat's own user", () => {
  expect(admitsNobody(policy(chat))).toBe(true);
  expect(admitsNobody(policy(guild))).toBe(true);
  expect(admitsNobody(policy(null))).toBe(true);
  expect(admitsNobody(policy({ type: "chat", id: "42" }))).toBe(false);
  expect(admitsNobody(policy(guild, [], ["7"]))).toBe(false);
});
