import { type Api, type Bot, type Context, GrammyError, InlineKeyboard } from "grammy";
import type { CommandResult, MessageRef, Reply } from "../../takopi/command-backend.js";
import type { Incoming } from "../../takopi/dispatch.js";
import type { TransportService } from "../../takopi/transport.js";
import { parseCommand } from "../../takopi/parse-command.js";
import { actionButtons } from "../action-buttons.js";
import { createRecentSet, type RecentSet } from "../recent-set.js";
import { cutEnd } from "../reply-parts.js";
import { renderHtml } from "./html.js";

type Service = Pick<TransportService, "dispatch" | "log">;
/** Where replies go: into a thread, and under the message that they answer. */
type Place = { chatId: number; threadId: number | undefined; messageId: number | undefined };
type ShowOptions = { command: string | null; isSilent?: boolean };

/** Has `bot` take messages and button presses to the dispatch. Handlers only begin: `track` gets what they began. */
export function serveChat(bot: Bot, service: Service, track: (work: Promise<void>) => void): void {
  const isPressed = createRecentSet(1_000);
  bot.on("message:text", (context) => {
    if (!isForAnother(context)) track(answerMessage(context, service));
  });
  bot.on("callback_query:data", (context) => track(answerPress(context, service, isPressed)));
}

/** `/ghauth@somebody_else_bot` is not ours to answer. */
function isForAnother({ message, me }: Context): boolean {
  const name = /^\s*\/[^\s@]+@(\S+)/.exec(message?.text ?? "")?.[1];
  return name !== undefined && name.toLowerCase() !== me.username.toLowerCase();
}

async function answerMessage(context: Context, { dispatch }: Service): Promise<void> {
  const { message, api } = context;
  if (!message?.text) return;
  const place: Place = {
    chatId: message.chat.id,
    threadId: message.is_topic_message === true ? message.message_thread_id : undefined,
    messageId: message.message_id,
  };
  const command = commandOf(message.text);
  const result = await dispatch({
    ...incomingOf(context, place),
    text: message.text,
    executor: {
      send: async (reply) => send(api, place, { reply, command }),
      edit: async (sent, reply) => edit(api, sent, { reply, command }),
      withdraw: async () => {
        await api.deleteMessage(message.chat.id, message.message_id);
        return "deleted";
      },
    },
  });
  if (result) await send(api, place, { reply: result, command, isSilent: result.notify === false });
}

/**
 * A button holds the command that it stands for. The message that it is on becomes the answer and says who pressed;
 * once that has begun, further presses do nothing.
 */
async function answerPress(context: Context, { dispatch }: Service, isPressed: RecentSet): Promise<void> {
  const { callbackQuery: press, api } = context;
  if (!press?.data || !press.message) return;
  const { chat, message_id } = press.message;
  const isTopic = "is_topic_message" in press.message && press.message.is_topic_message;
  const threadId =
    isTopic && "message_thread_id" in press.message ? press.message.message_thread_id : undefined;
  const place: Place = { chatId: chat.id, threadId, messageId: message_id };
  const ref = refOf(place.chatId, message_id);
  const key = `${ref.channelId}/${ref.messageId}`;
  const commandText = commandTextOf(press.data);
  const signed = (reply: Reply) => signReply(reply, press.from.first_name);
  let isAcknowledged = false;
  const result = await dispatch({
    ...incomingOf(context, place),
    text: commandText,
    acknowledge: async () => {
      if (!isPressed.add(key)) {
        await api.answerCallbackQuery(press.id, { text: "Already pressed." });
        throw new Error("the button was pressed before");
      }
      isAcknowledged = true;
      await api.answerCallbackQuery(press.id);
    },
    executor: {
      send: async (reply) => {
        await edit(api, ref, { reply: signed(reply), command: null });
        return ref;
      },
      edit: async (sent, reply) => edit(api, sent, { reply: signed(reply), command: null }),
    },
  });
  if (!result) return;
  if (!isAcknowledged) {
    await api.answerCallbackQuery(press.id, { text: cutEnd(result.text, 200), show_alert: true });
    return;
  }
  isPressed.delete(key); // its message keeps a button
  await edit(api, ref, { reply: signed(result), command: commandOf(commandText) });
}

function incomingOf(
  { from, senderChat, update }: Context,
  place: Place,
): Pick<Incoming, "message" | "replyTo" | "replyText"> {
  // An anonymous administrator, a channel or a bot is nobody in particular.
  const isKnown = from !== undefined && !from.is_bot && senderChat === undefined;
  return {
    message: {
      channelId: String(place.chatId),
      messageId: place.messageId === undefined ? null : String(place.messageId),
      threadId: place.threadId === undefined ? null : String(place.threadId),
      senderId: isKnown ? String(from.id) : null,
      raw: update,
    },
    replyTo: null,
    replyText: null,
  };
}

/** Takopi's own form of it is `ghauth:refresh`: buttons that were sent by way of Takopi work here too. */
function commandTextOf(data: string): string {
  return data.replace(/^([a-z0-9_]{1,32}):/, "/$1 ");
}

function commandOf(text: string): string | null {
  return parseCommand(text)?.command ?? null;
}

function signReply(reply: Reply, name: string): CommandResult {
  const note = `Pressed by ${cutEnd(name, 64)}.`;
  return { ...reply, text: `${reply.text}\n\n${note}`, notes: [...(reply.notes ?? []), note] };
}

function refOf(chatId: number, messageId: number): MessageRef {
  return { channelId: String(chatId), messageId: String(messageId) };
}

export async function send(
  api: Api,
  { chatId, threadId, messageId }: Place,
  { reply, command, isSilent = false }: ShowOptions & { reply: Reply },
): Promise<MessageRef> {
  const options = {
    ...looksOf(reply, command),
    ...(threadId !== undefined && { message_thread_id: threadId }),
    ...(messageId !== undefined && {
      reply_parameters: { message_id: messageId, allow_sending_without_reply: true },
    }),
    ...(isSilent && { disable_notification: true }),
  };
  const sent = await api.sendMessage(chatId, renderHtml(reply), options);
  return refOf(chatId, sent.message_id);
}

async function edit(
  api: Api,
  { channelId, messageId }: MessageRef,
  { reply, command }: ShowOptions & { reply: Reply },
): Promise<void> {
  const chatId = Number(channelId);
  try {
    await api.editMessageText(chatId, Number(messageId), renderHtml(reply), looksOf(reply, command));
  } catch (error) {
    if (!(error instanceof GrammyError)) throw error;
    if (error.description.includes("message is not modified")) return;
    if (!/message (to edit not found|can't be edited)/.test(error.description)) throw error;
    // Somebody deleted it meanwhile: the answer must still arrive.
    await send(api, { chatId, threadId: undefined, messageId: undefined }, { reply, command });
  }
}

export function looksOf({ actions = [] }: Reply, command: string | null) {
  const keyboard = new InlineKeyboard();
  for (const action of command === null ? [] : actions) {
    const { emoji, label } = actionButtons[action];
    keyboard.text(`${emoji} ${label}`, `/${command} ${action}`);
  }
  return {
    parse_mode: "HTML" as const,
    link_preview_options: { is_disabled: true },
    ...(keyboard.inline_keyboard.flat().length > 0 && { reply_markup: keyboard }),
  };
}
