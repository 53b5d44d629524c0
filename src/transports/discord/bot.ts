import { Client, Events, GatewayIntentBits, Options } from "discord.js";
import { GhauthError, messageOf } from "../../errors.js";
import type { TransportService } from "../../takopi/transport.js";
import type { ChatConnection } from "../chat-transport.js";
import { answerInteraction } from "./interactions.js";
import { registerCommands } from "./register-commands.js";
import { createRecentSet } from "../recent-set.js";

/** `lostAfterMs` is how long the gateway may stay away. */
export type DiscordDeps = ChatConnection & { lostAfterMs?: number };

const stopPatienceMs = 2_000;
const tenMinutesMs = 600_000;

/**
 * Serves Discord until `signal` aborts. Rejects with `chat_token_refused` (the token, or what it asks for), or with
 * `chat_lost` where the gateway is gone for good.
 */
export async function runDiscord(
  deps: DiscordDeps,
  service: TransportService,
  signal: AbortSignal,
): Promise<void> {
  const { clock } = deps;
  const pending = new Set<Promise<void>>();
  let client: Client | null = null;
  const stopped = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  try {
    for (let pauseMs = 2_000; !signal.aborted; pauseMs = Math.min(pauseMs * 2, 60_000)) {
      client = createClient(deps, service, pending);
      const gone = watchConnection(client, deps, service);
      try {
        await Promise.race([client.login(deps.botToken.reveal()), gone, stopped]);
        await Promise.race([gone, stopped]);
        return;
      } catch (error) {
        if (error instanceof GhauthError) throw error;
        if (isTokenInvalid(error)) throw refused("the bot token is not valid", error);
        service.log.warn("discord.unreachable", { error: messageOf(error) });
        await Promise.race([clock.sleep(pauseMs), stopped]);
      }
    }
  } finally {
    // While it reconnects, its own end may never come.
    const ended = client
      ?.destroy()
      .catch((error: unknown) => service.log.debug("discord.stop_failed", { error: messageOf(error) }));
    await Promise.race([Promise.allSettled([ended, ...pending]), clock.sleep(stopPatienceMs)]);
  }
}

function createClient(
  { apiRoot }: DiscordDeps,
  service: TransportService,
  pending: Set<Promise<void>>,
): Client {
  const { log } = service;
  const client = new Client({
    // Without it, members come without roles.
    intents: [GatewayIntentBits.Guilds],
    allowedMentions: { parse: [] },
    makeCache: Options.cacheWithLimits({
      ...Options.DefaultMakeCacheSettings,
      MessageManager: 0,
      GuildEmojiManager: 0,
      GuildMemberManager: 0,
      UserManager: 10,
    }),
    rest: {
      ...(apiRoot !== null && { api: apiRoot }),
      // Interactions are outside Discord's 50 a second; what it limits it says with a 429, which is obeyed.
      globalRequestsPerSecond: 1_000_000,
    },
  });
  const seen = createRecentSet(1_000);
  client.on(Events.InteractionCreate, (interaction) => {
    if (!seen.add(interaction.id)) return; // a resumed session may tell it again
    const work = answerInteraction(interaction, service).catch((error: unknown) =>
      log.warn("discord.answer_failed", { error: messageOf(error) }),
    );
    const tracked = work.finally(() => pending.delete(tracked));
    pending.add(tracked);
  });
  const prepare = async (ready: Client<true>) => {
    await setUp(ready, service).catch((error: unknown) =>
      log.error("discord.registration_failed", { message: `${messageOf(error)}: ${invitation(ready)}` }),
    );
  };
  client.once(Events.ClientReady, (ready) => void prepare(ready));
  client.on(Events.GuildCreate, (guild) => {
    if (guild.id === service.place?.id && client.isReady()) void prepare(client);
  });
  client.on(Events.Error, (error) => log.warn("discord.error", { error: messageOf(error) }));
  client.on(Events.Debug, (message) => log.debug("discord.debug", { message }));
  return client;
}

/** Rejects once there is no hope for the connection. */
async function watchConnection(
  client: Client,
  { lostAfterMs = tenMinutesMs }: DiscordDeps,
  { log }: TransportService,
): Promise<never> {
  return new Promise((_resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    client.on(Events.ShardError, (error) => log.warn("discord.gateway_error", { error: messageOf(error) }));
    client.on(Events.ShardReconnecting, () => {
      if (timer) return; // it tries twice a second
      log.warn("discord.reconnecting");
      timer = setTimeout(() => reject(lostFor(lostAfterMs)), lostAfterMs).unref();
    });
    const isBack = (event: string) => () => {
      clearTimeout(timer);
      timer = undefined;
      log.info(event);
    };
    client.on(Events.ShardReady, isBack("discord.connected"));
    client.on(Events.ShardResume, isBack("discord.resumed"));
    client.on(Events.ShardDisconnect, ({ code }) => reject(disconnected(code)));
  });
}

async function setUp(
  client: Client<true>,
  { commands, place, startupMessage, log }: TransportService,
): Promise<void> {
  const guildId = place?.id ?? null;
  const written = await registerCommands(client, commands, guildId);
  log.info("discord.ready", { bot: client.user.tag, guild: guildId, registered: written });
  if (startupMessage === null || guildId === null) return;
  try {
    const channel = client.guilds.cache.get(guildId)?.systemChannel;
    if (!channel) throw new Error("the server has no system messages channel: choose one in its settings");
    await channel.send({ content: startupMessage, allowedMentions: { parse: [] } });
  } catch (error) {
    log.warn("discord.startup_message_failed", { error: messageOf(error) });
  }
}

function invitation({ application }: Client<true>): string {
  return `invite the bot, with the scopes bot and applications.commands: https://discord.com/oauth2/authorize?client_id=${application.id}&scope=bot+applications.commands`;
}

function disconnected(code: number): GhauthError {
  const reason = refusals[code];
  return reason === undefined
    ? lost(`Discord ended the connection for good (${code}).`)
    : refused(`${reason} (${code})`);
}

/** discord.com/developers/docs/topics/opcodes-and-status-codes#gateway-gateway-close-event-codes */
const refusals: Record<number, string> = {
  4004: "the bot token is not valid",
  4013: "the intents are invalid",
  4014: "the bot may not use the Guilds intent",
};

function refused(reason: string, cause?: unknown): GhauthError {
  return new GhauthError(
    "chat_token_refused",
    `Discord refuses the bot: ${reason}. Put the token of the Developer Portal's Bot page into transports.discord of takopi.toml.`,
    { cause },
  );
}

function lost(sentence: string): GhauthError {
  return new GhauthError("chat_lost", sentence);
}

function lostFor(ms: number): GhauthError {
  return lost(
    `Discord's gateway could not be reached for ${Math.round(ms / 1000)} s: the host ends, to be started anew.`,
  );
}

function isTokenInvalid(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "TokenInvalid";
}
