import * as z from "zod";
import { commonKeys, id, ids } from "../chat-table.js";
import { describeChat } from "../chat-transport.js";

/** An application's bot, in one server, or wherever its allowed users are. */
export const discord = describeChat({
  name: "discord",
  table: z.object({
    ...commonKeys,
    guild_id: id.optional(),
    allowed_user_ids: ids,
    allowed_role_ids: ids,
  }),
  allowlistKeys: ["allowed_user_ids", "allowed_role_ids"],
  accessOf: ({ guild_id, allowed_user_ids, allowed_role_ids }) => ({
    // A server is nobody's own.
    place: guild_id === undefined ? null : { id: guild_id, ownerId: null },
    userIds: new Set(allowed_user_ids),
    roleIds: new Set(allowed_role_ids),
  }),
  load: async () => (await import("./bot.js")).runDiscord,
  alerts: {
    table: z.object({ discord_channel_id: id.optional() }),
    nameOf: ({ table: { guild_id }, alerts: { discord_channel_id } }) =>
      discord_channel_id === undefined
        ? `the system messages channel of the Discord server ${guild_id ?? "(no guild_id is set)"}`
        : `the Discord channel ${discord_channel_id}`,
    load: async () => (await import("./post.js")).postToDiscord,
  },
});
