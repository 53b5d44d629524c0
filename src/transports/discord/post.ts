import { REST, Routes } from "discord.js";
import { GhauthError } from "../../errors.js";
import { isObject } from "../../files/json.js";
import { alertsKey } from "../../takopi/takopi-config.js";
import type { Announcement } from "../../takopi/transport.js";
import type { ChatConnection } from "../chat-transport.js";
import { renderMessage } from "./message.js";

const timeoutMs = 10_000;

type Where = {
  table: {
    guild_id?: string | undefined;
    allowed_user_ids: readonly string[];
    allowed_role_ids: readonly string[];
  };
  alerts: { discord_channel_id?: string | undefined };
};

/** Posts one message, without a gateway. Rejects where Discord cannot be reached, or there is no channel. */
export async function postToDiscord(
  { botToken, apiRoot }: ChatConnection,
  { table, alerts }: Where,
  { reply, command, mentions }: Announcement,
): Promise<void> {
  const rest = new REST({ timeout: timeoutMs, ...(apiRoot !== null && { api: apiRoot }) });
  rest.setToken(botToken.reveal());
  const channelId = alerts.discord_channel_id ?? (await findSystemChannel(rest, table.guild_id));
  const { content, embeds, components } = renderMessage(reply, command);
  const users = mentions ? table.allowed_user_ids : [];
  const roles = mentions ? table.allowed_role_ids : [];
  const names = [...users.map((id) => `<@${id}>`), ...roles.map((id) => `<@&${id}>`)];
  await rest.post(Routes.channelMessages(channelId), {
    body: {
      content: [content, names.join(" ")].filter(Boolean).join("\n"),
      embeds,
      components,
      allowed_mentions: { parse: [], users, roles },
    },
  });
}

async function findSystemChannel(rest: REST, guildId: string | undefined): Promise<string> {
  const guild = guildId === undefined ? null : await rest.get(Routes.guild(guildId));
  const channelId = isObject(guild) ? guild["system_channel_id"] : null;
  if (typeof channelId === "string") return channelId;
  const why = guildId === undefined ? "no guild_id is set" : "the server has no system messages channel";
  throw new GhauthError("config_invalid", `${why}: set discord_channel_id in [${alertsKey}].`);
}
