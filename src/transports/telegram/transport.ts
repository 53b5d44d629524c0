import * as z from "zod";
import { commonKeys, id, ids } from "../chat-table.js";
import { describeChat } from "../chat-transport.js";

/** A bot of @BotFather's, in one chat. */
export const telegram = describeChat({
  name: "telegram",
  table: z.object({ ...commonKeys, chat_id: id, allowed_user_ids: ids }),
  allowlistKeys: ["allowed_user_ids"],
  accessOf: ({ chat_id, allowed_user_ids }) => ({
    place: { id: chat_id, ownerId: ownerOf(chat_id) },
    userIds: new Set(allowed_user_ids),
    roleIds: new Set(),
  }),
  load: async () => (await import("./bot.js")).runTelegram,
  alerts: {
    table: z.object({}),
    nameOf: ({ table }) => `the Telegram chat ${table.chat_id}`,
    load: async () => (await import("./post.js")).postToTelegram,
  },
});

/** A private chat has its user's id; groups' ids are negative (core.telegram.org/bots/api#chat). */
function ownerOf(chatId: string): string | null {
  return chatId.startsWith("-") ? null : chatId;
}
