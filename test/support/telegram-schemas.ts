import type { Opts } from "@grammyjs/types";
import * as z from "zod";

/** What Telegram takes of the methods that we call, refusing every other parameter. */
const id = z.int();
const keyboard = z.strictObject({
  inline_keyboard: z.array(
    z.array(
      z.strictObject({
        text: z.string().min(1),
        // In bytes (core.telegram.org/bots/api#inlinekeyboardbutton).
        callback_data: z.string().refine((data) => {
          const bytes = Buffer.byteLength(data);
          return bytes >= 1 && bytes <= 64;
        }, "BUTTON_DATA_INVALID"),
      }),
    ),
  ),
});
const looks = {
  text: z.string(),
  parse_mode: z.literal("HTML").optional(),
  link_preview_options: z.strictObject({ is_disabled: z.boolean() }).optional(),
  reply_markup: keyboard.optional(),
};

export const schemas = {
  getMe: z.strictObject({}),
  deleteWebhook: z.strictObject({ drop_pending_updates: z.boolean().optional() }),
  getUpdates: z.strictObject({
    offset: z.int().optional(),
    limit: z.int().min(1).max(100).optional(),
    timeout: z.int().min(0).optional(),
    allowed_updates: z.array(z.enum(["message", "callback_query"])).optional(),
  }),
  setMyCommands: z.strictObject({
    commands: z
      .array(
        z.strictObject({
          command: z.string().regex(/^[a-z0-9_]{1,32}$/),
          description: z.string().min(1).max(256),
        }),
      )
      .max(100),
    scope: z.strictObject({ type: z.literal("chat"), chat_id: id }),
  }),
  sendMessage: z.strictObject({
    ...looks,
    chat_id: id,
    message_thread_id: id.optional(),
    reply_parameters: z
      .strictObject({ message_id: id, allow_sending_without_reply: z.boolean().optional() })
      .optional(),
    disable_notification: z.boolean().optional(),
  }),
  editMessageText: z.strictObject({ ...looks, chat_id: id, message_id: id }),
  deleteMessage: z.strictObject({ chat_id: id, message_id: id }),
  answerCallbackQuery: z.strictObject({
    callback_query_id: z.string(),
    text: z.string().max(200).optional(),
    show_alert: z.boolean().optional(),
  }),
};

export type Method = keyof typeof schemas;
export type Params<M extends Method> = z.output<(typeof schemas)[M]>;
export type Call = { [M in Method]: { method: M; params: Params<M>; atMs: number } }[Method];

/** Compiles only while every call that the schemas let through is one that @grammyjs/types knows. */
type Declared<M extends Method> = Opts<never>[M];
type Fits<M extends Method> = Relaxed<Params<M>> extends Declared<M> ? true : M;
/** Zod says `| undefined` where Telegram's types say optional; JSON knows no difference. */
type Relaxed<T> = T extends (infer Item)[]
  ? Relaxed<Item>[]
  : T extends object
    ? { [K in keyof T]: Relaxed<Exclude<T[K], undefined>> }
    : T;
export const callsFitTelegram: { [M in Method]: Fits<M> } = {
  getMe: true,
  deleteWebhook: true,
  getUpdates: true,
  setMyCommands: true,
  sendMessage: true,
  editMessageText: true,
  deleteMessage: true,
  answerCallbackQuery: true,
};
