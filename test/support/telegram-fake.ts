import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Update } from "@grammyjs/types";
import { createSignal, waitUntil } from "./wait-until.js";
import { plainText } from "./telegram-html.js";
import { type Call, callsFitTelegram, type Method, type Params, schemas } from "./telegram-schemas.js";

export const telegramToken = ["123456789", "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0"].join(":");
export const me = { id: 123_456_789, is_bot: true, first_name: "ghauth", username: "ghauth_bot" };
export const group = -1_001_234_567_890;
export const operator = { id: 42, is_bot: false, first_name: "Ada <&>" };
export const guest = { id: 43, is_bot: false, first_name: "Bob" };

type Sender = { id: number; is_bot: boolean; first_name: string };
type Shown = {
  chatId: number;
  text: string;
  keyboard: string[];
  threadId: number | undefined;
  edits: number;
};
type Refusal = { status: number; description: string; retryAfter?: number; body?: string };
type SayOptions = { from?: Sender; chatId?: number; threadId?: number; extra?: object };

const conflict =
  "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running";

/** What Telegram refuses, as it says it. */
class Refused extends Error {
  readonly status: number;
  readonly retryAfter: number | undefined;

  constructor(status: number, description: string, retryAfter?: number) {
    super(description);
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

/**
 * The part of Telegram's Bot API that the host calls, as strict as Telegram: what it refuses there is refused here, and
 * what is refused is remembered in `refused`, for a test to look at.
 */
export async function createTelegramFake({ chats = [group] }: { chats?: number[] } = {}) {
  const events = createSignal();
  const calls: Call[] = [];
  const refused: string[] = [];
  const messages = new Map<string, Shown>();
  const openQueries = new Set<string>();
  const refusals = new Map<Method, Refusal[]>();
  let queue: unknown[] = [];
  let nextId = 1;
  let poll: ((answer: Refused | unknown[]) => void) | null = null;
  let isDown = false;

  const push = (update: unknown) => {
    queue.push(update);
    poll?.(take());
  };
  /** What is to be delivered: what has no id can never be confirmed, so it is delivered once. */
  const take = () => {
    const batch = queue.slice(0, 100);
    queue = queue.filter((update) => hasId(update) || !batch.includes(update));
    return batch;
  };
  const chatOf = (id: number) =>
    id > 0
      ? { id, type: "private" as const, first_name: "Ada" }
      : { id, type: "supergroup" as const, title: "ops", is_forum: true };

  const show = (params: Params<"sendMessage"> | Params<"editMessageText">): string => {
    if (!chats.includes(params.chat_id)) throw new Refused(400, "Bad Request: chat not found");
    let text = params.text;
    try {
      text = params.parse_mode === "HTML" ? plainText(params.text) : params.text;
    } catch (error) {
      throw new Refused(400, `Bad Request: ${error instanceof Error ? error.message : ""}`);
    }
    if (text.trim() === "") throw new Refused(400, "Bad Request: message text is empty");
    if (text.length > 4096) throw new Refused(400, "Bad Request: message is too long");
    return text;
  };
  const keyboardOf = ({ reply_markup }: { reply_markup?: Params<"sendMessage">["reply_markup"] }) =>
    (reply_markup?.inline_keyboard ?? []).flat().map((button) => button.callback_data);

  const methods: { [M in Method]: (params: Params<M>) => unknown } = {
    getMe: () => ({
      ...me,
      can_join_groups: true,
      can_read_all_group_messages: false,
      supports_inline_queries: false,
    }),
    deleteWebhook: ({ drop_pending_updates }) => {
      if (drop_pending_updates === true) queue = [];
      return true;
    },
    setMyCommands: ({ scope }) => {
      if (!chats.includes(scope.chat_id)) throw new Refused(400, "Bad Request: chat not found");
      return true;
    },
    getUpdates: async ({ offset = 0, timeout = 0 }) => {
      if (timeout > 0) poll?.(new Refused(409, conflict));
      queue = queue.filter((update) => !hasId(update) || update.update_id >= offset);
      if (queue.length > 0 || timeout === 0) return take();
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => poll?.([]), timeout * 1000);
        setImmediate(() => events.emit()); // somebody may wait for a poll
        poll = (answer) => {
          clearTimeout(timer);
          poll = null;
          if (answer instanceof Refused) reject(answer);
          else resolve(answer);
        };
      });
    },
    sendMessage: (params) => {
      const text = show(params);
      const message_id = nextId++;
      const threadId = params.message_thread_id;
      messages.set(`${params.chat_id}/${message_id}`, {
        chatId: params.chat_id,
        text: params.text,
        keyboard: keyboardOf(params),
        threadId,
        edits: 0,
      });
      return { message_id, date: 1_800_000_000, chat: chatOf(params.chat_id), from: me, text };
    },
    editMessageText: (params) => {
      const text = show(params);
      const message = messages.get(`${params.chat_id}/${params.message_id}`);
      if (!message) throw new Refused(400, "Bad Request: message to edit not found");
      const keyboard = keyboardOf(params);
      if (message.text === params.text && message.keyboard.join() === keyboard.join())
        throw new Refused(
          400,
          "Bad Request: message is not modified: specified new message content and reply markup are exactly the same as a current content and reply markup of the message",
        );
      Object.assign(message, { text: params.text, keyboard, edits: message.edits + 1 });
      return {
        message_id: params.message_id,
        date: 1_800_000_000,
        chat: chatOf(params.chat_id),
        from: me,
        text,
      };
    },
    deleteMessage: ({ chat_id, message_id }) => {
      if (!chats.includes(chat_id)) throw new Refused(400, "Bad Request: chat not found");
      messages.delete(`${chat_id}/${message_id}`);
      return true;
    },
    answerCallbackQuery: ({ callback_query_id }) => {
      if (!openQueries.delete(callback_query_id))
        throw new Refused(
          400,
          "Bad Request: query is too old and response timeout expired or query ID is invalid",
        );
      return true;
    },
  };

  const answer = async (token: string, method: string, body: unknown): Promise<unknown> => {
    if (token !== telegramToken) throw new Refused(401, "Unauthorized");
    if (!isMethod(method)) throw new Refused(404, "Not Found");
    const planned = refusals.get(method)?.shift();
    if (planned) throw new Refused(planned.status, planned.description, planned.retryAfter);
    const params = schemas[method].safeParse(body);
    if (!params.success)
      throw new Refused(
        400,
        `Bad Request: ${params.error.issues[0]?.path.join(".")}: ${params.error.issues[0]?.message}`,
      );
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of this very method has checked it
    const call = { method, params: params.data, atMs: performance.now() } as Call;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- and so this is its own handler's argument
    const handler = methods[method] as (params: unknown) => unknown;
    const record = () => {
      calls.push(call);
      events.emit();
    };
    if (method === "getUpdates") record();
    const result = await handler(params.data);
    if (method !== "getUpdates") record();
    return result;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (isDown) return void request.socket.destroy();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const [, token = "", method = ""] = /^\/bot([^/]+)\/(\w+)$/.exec(request.url ?? "") ?? [];
    const send = (status: number, body: object) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    try {
      send(200, { ok: true, result: await answer(token, method, JSON.parse(text || "{}")) });
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      const { status, message: description, retryAfter } = error;
      refused.push(`${method}: ${description}`);
      events.emit();
      send(status, {
        ok: false,
        error_code: status,
        description,
        ...(retryAfter !== undefined && { parameters: { retry_after: retryAfter } }),
      });
    }
  };
  const server = createServer((request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- it listens on TCP
  const { port } = server.address() as AddressInfo;

  /** Resolves as soon as `check` returns something. */
  const until = async <T>(check: () => T | undefined | false): Promise<T> =>
    waitUntil({ signal: events, problems: refused }, check);
  const callsOf = <M extends Method>(method: M) =>
    calls.filter((call): call is Extract<Call, { method: M }> => call.method === method);

  return {
    apiRoot: `http://127.0.0.1:${port}`,
    token: telegramToken,
    calls,
    refused,
    messages: () => [...messages.values()],
    callsOf,
    until,
    isPolling: () => poll !== null,
    /** Delivers an update whether or not it was confirmed before. */
    pushAgain: (update: unknown) => poll?.([update]),
    /** Puts an update as it is into the queue. */
    push,
    nextUpdateId: () => nextId++,
    /** A user writes; resolves with what the bot sends next, beginning with this message's answer. */
    say: (
      text: string,
      { from = operator, chatId = group, threadId, extra = {} }: SayOptions = {},
    ): number => {
      const message_id = nextId++;
      const thread =
        threadId === undefined ? {} : { message_thread_id: threadId, is_topic_message: true as const };
      const entity = { type: "bot_command" as const, offset: 0, length: text.split(/\s/)[0]?.length ?? 0 };
      const message = {
        message_id,
        date: 1_800_000_000,
        chat: chatOf(chatId),
        from,
        text,
        entities: [entity],
        ...thread,
        ...extra,
      };
      push({ update_id: nextId++, message });
      return message_id;
    },
    press: (
      messageId: number,
      data: string,
      { from = operator, chatId = group }: SayOptions = {},
    ): string => {
      const id = String(nextId++);
      openQueries.add(id);
      const message = messages.get(`${chatId}/${messageId}`);
      const thread =
        message?.threadId === undefined
          ? {}
          : { message_thread_id: message.threadId, is_topic_message: true as const };
      const update = {
        update_id: nextId++,
        callback_query: {
          id,
          from,
          chat_instance: "1",
          data,
          message: {
            message_id: messageId,
            date: 1_800_000_000,
            chat: chatOf(chatId),
            from: me,
            text: "…",
            ...thread,
          },
        },
      };
      push(update satisfies { update_id: number } & Partial<Record<keyof Update, unknown>>);
      return id;
    },
    message: (messageId: number, chatId = group) => messages.get(`${chatId}/${messageId}`),
    /** The ids of the bot's messages, oldest first. */
    messageIds: () => [...messages.keys()].map((key) => Number(key.split("/")[1])),
    forget: (messageId: number, chatId = group) => messages.delete(`${chatId}/${messageId}`),
    refuse: (method: Method, ...planned: Refusal[]) =>
      refusals.set(method, [...(refusals.get(method) ?? []), ...planned]),
    /** Ends all connections and takes no more until told otherwise. */
    setDown: (down: boolean) => {
      isDown = down;
      if (!down) return;
      poll?.([]);
      server.closeAllConnections();
    },
    /** All that the bot ever said. */
    said: () => calls.map((call) => JSON.stringify(call.params)).join("\n"),
    [Symbol.asyncDispose]: async () => {
      poll?.([]);
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type TelegramFake = Awaited<ReturnType<typeof createTelegramFake>>;

function isMethod(name: string): name is Method {
  return Object.hasOwn(callsFitTelegram, name);
}

function hasId(update: unknown): update is { update_id: number } {
  return (
    typeof update === "object" &&
    update !== null &&
    "update_id" in update &&
    typeof update.update_id === "number"
  );
}
