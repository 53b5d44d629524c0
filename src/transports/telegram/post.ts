import { Api } from "grammy";
import type { Announcement } from "../../takopi/transport.js";
import type { ChatConnection } from "../chat-transport.js";
import { createRetries } from "./api-transformers.js";
import { looksOf } from "./serve-chat.js";
import { longestMessage, renderHtml } from "./html.js";

const timeoutSeconds = 10;

/**
 * Posts one message to a chat: that is allowed beside a program that polls with the same bot token. Rejects where the
 * chat cannot be reached.
 */
export async function postToTelegram(
  { botToken, apiRoot, clock }: ChatConnection,
  { table }: { table: { chat_id: string; allowed_user_ids: readonly string[] } },
  { reply, command, mentions }: Announcement,
): Promise<void> {
  const api = new Api(botToken.reveal(), { timeoutSeconds, ...(apiRoot !== null && { apiRoot }) });
  api.config.use(...createRetries(clock));
  const names = mentions ? table.allowed_user_ids : [];
  const text = renderHtml(reply, longestMessage - names.join(" ").length - 1);
  const html = names.length === 0 ? text : `${text}\n${names.map((id) => mention(id)).join(" ")}`;
  await api.sendMessage(Number(table.chat_id), html, looksOf(reply, command));
}

/** By its id, for nobody told us a user's name (core.telegram.org/bots/api#html-style). */
function mention(id: string): string {
  return `<a href="tg://user?id=${id}">${id}</a>`;
}
