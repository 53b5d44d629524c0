import { Bot, GrammyError, HttpError } from "grammy";
import { GhauthError, messageOf } from "../../errors.js";
import type { Clock } from "../../system/clock.js";
import type { TransportService } from "../../takopi/transport.js";
import type { ChatConnection } from "../chat-transport.js";
import { createRetries, createUpdateFilter } from "./api-transformers.js";
import { send, serveChat } from "./serve-chat.js";

const conflictPatienceMs = 15_000;
const stopPatienceMs = 2_000;

/**
 * Serves a Telegram chat by long polling until `signal` aborts. What was sent before it is up is ignored. Rejects with
 * `chat_token_refused`, or with `chat_conflict` where another program keeps polling with the same bot token.
 */
export async function runTelegram(
  { botToken, apiRoot, clock }: ChatConnection,
  service: TransportService,
  signal: AbortSignal,
): Promise<void> {
  const { log } = service;
  const client = { ...(apiRoot !== null && { apiRoot }), timeoutSeconds: 50 };
  const bot = new Bot(botToken.reveal(), { client });
  const pending = new Set<Promise<void>>();
  bot.api.config.use(...createRetries(clock), createUpdateFilter({ clock, log }));
  bot.catch(({ error }) => log.error("telegram.update_failed", { error: describe(error) }));
  serveChat(bot, service, (work) => {
    const logged = work.catch((error: unknown) =>
      log.error("telegram.answer_failed", { error: describe(error) }),
    );
    const tracked = logged.finally(() => pending.delete(tracked));
    pending.add(tracked);
  });

  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([poll(bot, { service, clock }, signal), stopped]);
  // It returns before a running handler ends, and what it asks of Telegram may never be answered.
  const ended = bot
    .stop()
    .catch((error: unknown) => log.debug("telegram.stop_failed", { error: describe(error) }));
  await Promise.race([Promise.allSettled([ended, ...pending]), clock.sleep(stopPatienceMs)]);
}

type Polling = { service: TransportService; clock: Clock };

/** Polls for good: what is transient is waited out. */
async function poll(bot: Bot, { service, clock }: Polling, signal: AbortSignal): Promise<void> {
  const { log } = service;
  let isFirst = true;
  let conflict: { sinceMs: number; lastMs: number } | null = null;
  while (!signal.aborted) {
    try {
      // Said here, and not left to start(), which would wait ever longer after a network that came up late.
      if (!bot.isInited()) bot.botInfo = await bot.api.getMe();
      await bot.start({
        drop_pending_updates: isFirst,
        allowed_updates: ["message", "callback_query"],
        onStart: async () => {
          if (isFirst) await greet(bot, service);
          isFirst = false;
        },
      });
      return;
    } catch (error) {
      if (signal.aborted) return;
      const nowMs = clock.elapsedMs();
      if (error instanceof GrammyError && [401, 404].includes(error.error_code)) throw refused(error);
      if (error instanceof GrammyError && error.error_code === 409) {
        if (conflict === null || nowMs - conflict.lastMs > conflictPatienceMs)
          conflict = { sinceMs: nowMs, lastMs: nowMs };
        conflict.lastMs = nowMs;
        if (nowMs - conflict.sinceMs >= conflictPatienceMs) throw conflicting(error);
        log.warn("telegram.conflict", { message: conflicting(error).message });
        await clock.sleep(1_000);
        continue;
      }
      log.warn("telegram.unreachable", { error: describe(error) });
      await clock.sleep(3_000);
    }
  }
}

/** None of this is worth not serving for. */
async function greet(bot: Bot, { commands, place, startupMessage, log }: TransportService): Promise<void> {
  log.info("telegram.ready", { bot: bot.botInfo.username, chat: place?.id });
  const chatId = Number(place?.id);
  const menu = commands.map(({ id, description }) => ({
    command: id,
    description: description.slice(0, 256),
  }));
  try {
    await bot.api.setMyCommands(menu, { scope: { type: "chat", chat_id: chatId } });
  } catch (error) {
    log.warn("telegram.menu_failed", { error: describe(error) });
  }
  if (startupMessage === null) return;
  try {
    const reply = { text: startupMessage };
    await send(bot.api, { chatId, threadId: undefined, messageId: undefined }, { reply, command: null });
  } catch (error) {
    log.warn("telegram.startup_message_failed", { error: describe(error) });
  }
}

function refused(cause: GrammyError): GhauthError {
  return new GhauthError(
    "chat_token_refused",
    `Telegram refuses the bot token (${cause.description}): put the one from @BotFather into transports.telegram of takopi.toml.`,
    { cause },
  );
}

function conflicting(cause: GrammyError): GhauthError {
  return new GhauthError(
    "chat_conflict",
    `Another program polls with this bot token (Takopi itself? then use the shim). Stop it, or give this host a bot of its own. Telegram says: ${cause.description}`,
    { cause },
  );
}

function describe(error: unknown): string {
  return error instanceof HttpError ? `${error.message} ${messageOf(error.error)}` : messageOf(error);
}
