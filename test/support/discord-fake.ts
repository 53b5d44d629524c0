import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createSignal, waitUntil } from "./wait-until.js";
import { createDiscordGateway, gatewayUrl } from "./discord-gateway.js";
import {
  applicationId,
  botUser,
  channelId,
  checkSpec,
  createIds,
  discordToken,
  guildId,
  isJson,
  type Json,
  memberShape,
  messageShape,
  operatorId,
  textChannel,
  userShape,
} from "./discord-shapes.js";

/** What the sender of an interaction sees of it. */
type Seen = {
  id: string;
  token: string;
  isLate: boolean;
  isButton: boolean;
  callbacks: number[];
  isEphemeral: boolean;
  shown: Json[];
  answeredAtMs: number | null;
  sentAtMs: number;
};
type Planned = { status: number; body: Json; headers?: Record<string, string> };
type Sender = { userId?: string; roleIds?: readonly string[]; guild?: string | null; isLate?: boolean };

class Refused extends Error {
  readonly answer: Planned;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.answer = { status, body: { code, message } };
  }
}

/**
 * The part of Discord that the host talks to, REST and gateway on one port. Each request and each answer is checked
 * with Discord's own schemas; what fails is in `problems`.
 */
export async function createDiscordFake({
  refuseWith,
  stored = [],
  systemChannelId = channelId,
}: { refuseWith?: number; stored?: Json[]; systemChannelId?: string | null } = {}) {
  const events = createSignal();
  const nextId = createIds();
  const requests: { method: string; path: string; body: unknown }[] = [];
  const problems: string[] = [];
  const interactions = new Map<string, Seen>();
  const posted: Json[] = [];
  const planned: { pattern: RegExp; answer: Planned }[] = [];
  const commands = new Map(stored.map((command) => [String(command["name"]), command]));
  let isDown = false;

  const findInteraction = (token: string): Seen => {
    const found = [...interactions.values()].find((each) => each.token === token);
    if (!found || found.isLate) throw new Refused(404, 10_062, "Unknown interaction");
    return found;
  };
  const refuseBlank = (message: Json) => {
    const isBlank = (value: unknown) =>
      value === undefined || value === null || value === "" || (Array.isArray(value) && value.length === 0);
    if (isBlank(message["content"]) && isBlank(message["embeds"]))
      throw new Refused(400, 50_006, "Cannot send an empty message");
    const mentions = message["allowed_mentions"];
    if (!isJson(mentions) || JSON.stringify(mentions["parse"]) !== "[]")
      problems.push("a message that may mention somebody");
  };

  const callback = (token: string, body: Json): undefined => {
    const interaction = findInteraction(token);
    if (interaction.callbacks.length > 0)
      throw new Refused(400, 40_060, "Interaction has already been acknowledged.");
    const { type } = body;
    checkSpec(
      type === 6 || type === 7
        ? "UpdateMessageInteractionCallbackRequestSchema"
        : "CreateMessageInteractionCallbackRequestSchema",
      body,
    );
    const data = isJson(body["data"]) ? body["data"] : {};
    if (type === 4) {
      refuseBlank(data);
      interaction.shown.push(data);
    }
    interaction.isEphemeral = data["flags"] === 64 || type === 6;
    interaction.callbacks.push(Number(type));
    interaction.answeredAtMs = performance.now();
  };

  const editOriginal = (token: string, body: Json): Json => {
    const interaction = findInteraction(token);
    if (interaction.callbacks.length === 0) throw new Refused(404, 10_015, "Unknown Webhook");
    checkSpec("IncomingWebhookUpdateRequestPartialSchema", body);
    refuseBlank(body);
    interaction.shown.push(body);
    return messageShape(interaction.id, body, { isEphemeral: interaction.isEphemeral, isEdited: true });
  };

  const upsert = (body: Json, guild: string | undefined): Json => {
    checkSpec("ApplicationCommandCreateRequestSchema", body);
    const options: Json[] = Array.isArray(body["options"])
      ? body["options"].filter((each) => isJson(each))
      : [];
    const kinds = new Set(options.map((option) => Number(option["type"]) <= 2));
    if (kinds.size > 1)
      throw new Refused(400, 50_035, "Invalid Form Body: sub-command and basic options are mixed");
    const command = checkSpec("ApplicationCommandResponseSchema", {
      type: 1,
      ...body,
      id: nextId(),
      version: nextId(),
      application_id: applicationId,
      ...(guild !== undefined && { guild_id: guild }),
      nsfw: undefined,
    });
    commands.set(String(body["name"]), command);
    return command;
  };

  const post = (body: Json): Json => {
    checkSpec("MessageCreateRequestSchema", body);
    refuseBlank(body);
    posted.push(body);
    return messageShape(nextId(), body, { isEphemeral: false, isEdited: false });
  };

  const routes: [RegExp, (match: RegExpExecArray, body: Json) => unknown][] = [
    [
      /^GET \/gateway\/bot$/,
      () =>
        checkSpec("GatewayBotResponseSchema", {
          url: gatewayUrl(server),
          shards: 1,
          session_start_limit: { total: 1000, remaining: 999, reset_after: 0, max_concurrency: 1 },
        }),
    ],
    [
      /^GET \/applications\/\d+\/(?:guilds\/\d+\/)?commands$/,
      () => [...commands.values()].map((command) => checkSpec("ApplicationCommandResponseSchema", command)),
    ],
    [/^POST \/applications\/\d+\/(?:guilds\/(\d+)\/)?commands$/, ([, guild], body) => upsert(body, guild)],
    [/^POST \/interactions\/\d+\/([^/]+)\/callback$/, ([, token = ""], body) => callback(token, body)],
    [
      /^PATCH \/webhooks\/\d+\/([^/]+)\/messages\/@original$/,
      ([, token = ""], body) => editOriginal(token, body),
    ],
    [/^POST \/channels\/\d+\/messages$/, (_match, body) => post(body)],
    [
      new RegExp(`^GET /guilds/${guildId}$`),
      () => ({ id: guildId, name: "acme", system_channel_id: systemChannelId }),
    ],
  ];

  const answer = (request: IncomingMessage, path: string, text: string): unknown => {
    const line = `${request.method ?? ""} ${path}`;
    const body: unknown = text === "" ? {} : JSON.parse(text);
    const plan = planned.findIndex(({ pattern }) => pattern.test(line));
    if (plan >= 0) {
      const [first] = planned.splice(plan, 1);
      const refusal = new Refused(0, 0, line);
      Object.assign(refusal.answer, first?.answer);
      throw refusal;
    }
    const isInteraction = /^\w+ \/(interactions|webhooks)\//.test(line);
    if (!isInteraction && request.headers.authorization !== `Bot ${discordToken}`)
      throw new Refused(401, 0, "401: Unauthorized");
    if (!request.headers["user-agent"]?.startsWith("DiscordBot ("))
      problems.push(`${line}: user agent ${request.headers["user-agent"]}`);
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(line);
      if (!match) continue;
      requests.push({ method: request.method ?? "", path, body });
      return handle(match, isJson(body) ? body : {});
    }
    problems.push(`no route for ${line}`);
    throw new Refused(404, 0, "404: Not Found");
  };

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    if (isDown) return void request.socket.destroy();
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const { pathname } = new URL(request.url ?? "", "http://discord");
    const path = decodeURIComponent(pathname).replace(/^\/api\/v10/, "");
    const send = (status: number, body: unknown, headers: Record<string, string> = {}) => {
      if (body === undefined) return void response.writeHead(status, headers).end();
      response
        .writeHead(status, { "content-type": "application/json", ...headers })
        .end(JSON.stringify(body));
    };
    try {
      const body = answer(request, path, text);
      send(body === undefined ? 204 : 200, body);
    } catch (error) {
      if (error instanceof Refused) send(error.answer.status, error.answer.body, error.answer.headers);
      else {
        problems.push(`${request.method} ${path}: ${error instanceof Error ? error.message : ""}`);
        send(400, { code: 50_035, message: "Invalid Form Body" });
      }
    }
    events.emit();
  };
  const server = createServer((request, response) => void serve(request, response));
  let attempts = 0;
  server.on("upgrade", (_request, socket) => {
    if (!isDown) return;
    attempts++;
    socket.destroy();
    events.emit();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const gateway = createDiscordGateway(server, { refuseWith });

  const interact = (
    type: number,
    data: Json,
    { userId = operatorId, roleIds = [], guild = guildId, isLate = false }: Sender = {},
  ): string => {
    const id = nextId();
    const token = `interaction-${id}`;
    interactions.set(id, {
      id,
      token,
      isLate,
      isButton: type === 3,
      callbacks: [],
      isEphemeral: false,
      shown: [],
      answeredAtMs: null,
      sentAtMs: performance.now(),
    });
    const who =
      guild === null
        ? { user: userShape(userId) }
        : {
            guild_id: guild,
            member: memberShape(userId, roleIds),
            guild: { id: guild, locale: "en-US", features: [] },
            guild_locale: "en-US",
          };
    const message =
      type === 3
        ? { message: messageShape(nextId(), { content: "…" }, { isEphemeral: true, isEdited: false }) }
        : {};
    gateway.send("INTERACTION_CREATE", {
      id,
      application_id: applicationId,
      type,
      data,
      channel_id: channelId,
      channel: textChannel,
      token,
      version: 1,
      locale: "en-US",
      app_permissions: "2147483647",
      entitlements: [],
      authorizing_integration_owners: { "0": guild ?? "0" },
      context: guild === null ? 1 : 0,
      attachment_size_limit: 10_485_760,
      ...who,
      ...message,
    });
    return id;
  };
  const seen = (id: string): Seen => {
    const found = interactions.get(id);
    if (!found) throw new Error(`no interaction ${id}`);
    return found;
  };
  const until = async <T>(check: () => T | undefined | false): Promise<T> =>
    waitUntil({ signal: events, problems }, check);

  return {
    apiRoot: `${gatewayUrl(server).replace("ws:", "http:").replace("/gateway", "")}/api`,
    gateway,
    requests,
    problems,
    posted,
    botUser,
    commands: () => [...commands.values()],
    seen,
    until,
    /** A user runs a subcommand; resolves to the interaction's id. */
    command: (subcommand: string, sender?: Sender, options: Json[] = []) =>
      interact(
        2,
        { id: "1", name: "ghauth", type: 1, options: [{ type: 1, name: subcommand, options }] },
        sender,
      ),
    /** The same as takopi-discord registers it: free text. */
    freeText: (args: string, sender?: Sender) =>
      interact(
        2,
        { id: "1", name: "ghauth", type: 1, options: [{ type: 3, name: "args", value: args }] },
        sender,
      ),
    press: (customId: string, sender?: Sender) =>
      interact(3, { custom_id: customId, component_type: 2 }, sender),
    /** Resolves with what an interaction shows once it has shown `count` things. */
    shown: async (id: string, count = 1): Promise<Json[]> =>
      until(() => seen(id).shown.length >= count && seen(id).shown),
    refuse: (pattern: RegExp, refusal: Planned) => void planned.push({ pattern, answer: refusal }),
    /** How often the gateway was asked for while it was away. */
    attempts: () => attempts,
    setDown: (down: boolean) => {
      isDown = down;
      if (!down) return;
      gateway.cut();
      server.closeAllConnections();
    },
    said: () => requests.map(({ body }) => JSON.stringify(body)).join("\n"),
    [Symbol.asyncDispose]: async () => {
      gateway.cut();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

export type DiscordFake = Awaited<ReturnType<typeof createDiscordFake>>;
