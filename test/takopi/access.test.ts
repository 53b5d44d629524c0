import { expect, test } from "vitest";
import { type AccessPolicy, admitsNobody, judge, type Origin } from "../../src/takopi/access.js";

const policy = (place: AccessPolicy["place"], users: string[] = [], roles: string[] = []): AccessPolicy => ({
  place,
  userIds: new Set(users),
  roleIds: new Set(roles),
});
const from = (senderId: string | null, more: Partial<Origin> = {}): Origin => ({
  placeId: "-5",
  senderId,
  roleIds: [],
  ...more,
});
const chat = { id: "-5", ownerId: null };
const guild = { id: "9", ownerId: null };
const privateChat = { id: "42", ownerId: "42" };

test.each([
  ["an allowed user in the chat", from("42"), policy(chat, ["42"]), "operator"],
  ["an allowed user elsewhere", from("42", { placeId: "-6" }), policy(chat, ["42"]), "outsider"],
  ["somebody else in the chat", from("43"), policy(chat, ["42"]), "guest"],
  ["an unknown sender in the chat", from(null), policy(chat, ["42"]), "guest"],
  ["anybody, with an empty list", from("42"), policy(chat), "guest"],
  ["the user of a private chat", from("42", { placeId: "42" }), policy(privateChat), "operator"],
  ["somebody whose id is the group's", from("-5"), policy(chat), "guest"],
  [
    "an allowed role in the guild",
    from("43", { placeId: "9", roleIds: ["7"] }),
    policy(guild, [], ["7"]),
    "operator",
  ],
  [
    "an allowed role of an unknown sender",
    from(null, { placeId: "9", roleIds: ["7"] }),
    policy(guild, [], ["7"]),
    "guest",
  ],
  [
    "an allowed role in another guild",
    from("43", { placeId: "8", roleIds: ["7"] }),
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
  expect(admitsNobody(policy(privateChat))).toBe(false);
  expect(admitsNobody(policy(guild, [], ["7"]))).toBe(false);
});
