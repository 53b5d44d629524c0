import {
  ApplicationCommandCreateRequestSchema,
  ApplicationCommandResponseSchema,
  CreateMessageInteractionCallbackRequestSchema,
  GatewayBotResponseSchema,
  IncomingWebhookUpdateRequestPartialSchema,
  MessageCreateRequestSchema,
  MessageResponseSchema,
  UpdateMessageInteractionCallbackRequestSchema,
} from "discord-api-spec/zod";

export const discordToken = [
  "MTIzNDU2Nzg5MDEyMzQ1Njc4OQ",
  "GhAuth",
  "abcdefghijklmnopqrstuvwxyz0123456789AB",
].join(".");
export const applicationId = "1234567890123456789";
export const guildId = "1100000000000000001";
export const channelId = "1100000000000000002";
export const operatorRole = "1100000000000000003";
export const operatorId = "1100000000000000042";
export const guestId = "1100000000000000043";

export type Json = Record<string, unknown>;

/** Discord's own schemas, by their names. */
const spec = {
  ApplicationCommandCreateRequestSchema,
  ApplicationCommandResponseSchema,
  CreateMessageInteractionCallbackRequestSchema,
  GatewayBotResponseSchema,
  IncomingWebhookUpdateRequestPartialSchema,
  MessageCreateRequestSchema,
  MessageResponseSchema,
  UpdateMessageInteractionCallbackRequestSchema,
};
type Schema = keyof typeof spec;

/** What discord.js sends along with every message, needed or not. */
const alwaysSent = new Set(["tts", "enforce_nonce"]);

/** Throws where a value is not what Discord's own schema says, or has members that it does not know. */
export function checkSpec(name: Schema, value: unknown): Json {
  if (!isJson(value)) throw new Error(`${name}: not an object`);
  const schema = spec[name];
  // Typed as a number there; Discord itself takes and gives a string.
  const { default_member_permissions: permissions } = value;
  const isRequest = name === "ApplicationCommandCreateRequestSchema";
  const checked =
    isRequest && typeof permissions === "string"
      ? { ...value, default_member_permissions: Number(permissions) }
      : value;
  const parsed = schema.safeParse(checked);
  if (!parsed.success) throw new Error(`${name}: ${JSON.stringify(parsed.error.issues)}`);
  const unknown = Object.keys(value).filter(
    (key) => !Object.hasOwn(schema.shape, key) && !alwaysSent.has(key),
  );
  if (unknown.length > 0) throw new Error(`${name}: unknown ${unknown.join(", ")}`);
  return value;
}

export function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Ids in order, as Discord gives them. */
export function createIds(): () => string {
  let last = 1_200_000_000_000_000_000n;
  return () => String(++last);
}

export function userShape(id: string, more: Json = {}): Json {
  return {
    id,
    username: `user${id.slice(-2)}`,
    avatar: null,
    discriminator: "0",
    public_flags: 0,
    flags: 0,
    global_name: null,
    primary_guild: null,
    ...more,
  };
}

export const botUser = userShape(applicationId, { username: "ghauth", bot: true });

export function memberShape(userId: string, roleIds: readonly string[]): Json {
  return {
    user: userShape(userId),
    roles: roleIds,
    permissions: "2147483647",
    joined_at: "2026-01-01T00:00:00.000000+00:00",
    deaf: false,
    mute: false,
    flags: 0,
    nick: null,
    avatar: null,
    pending: false,
    premium_since: null,
    communication_disabled_until: null,
  };
}

export const textChannel = {
  id: channelId,
  type: 0,
  guild_id: guildId,
  name: "ops",
  position: 0,
  permission_overwrites: [],
  nsfw: false,
  parent_id: null,
  topic: null,
};

export const guildShape: Json = {
  id: guildId,
  name: "acme",
  icon: null,
  owner_id: operatorId,
  unavailable: false,
  member_count: 3,
  large: false,
  joined_at: "2026-01-01T00:00:00.000000+00:00",
  roles: [guildId, operatorRole].map((id, position) => ({
    id,
    name: `role${position}`,
    color: 0,
    colors: { primary_color: 0, secondary_color: null, tertiary_color: null },
    hoist: false,
    position,
    permissions: "2147483647",
    managed: false,
    mentionable: false,
    flags: 0,
  })),
  channels: [textChannel],
  threads: [],
  members: [],
  emojis: [],
  stickers: [],
  features: [],
  presences: [],
  voice_states: [],
  stage_instances: [],
  guild_scheduled_events: [],
  soundboard_sounds: [],
  verification_level: 0,
  default_message_notifications: 0,
  explicit_content_filter: 0,
  mfa_level: 0,
  premium_tier: 0,
  premium_subscription_count: 0,
  nsfw_level: 0,
  system_channel_flags: 0,
  system_channel_id: channelId,
  afk_timeout: 300,
  afk_channel_id: null,
  rules_channel_id: null,
  public_updates_channel_id: null,
  preferred_locale: "en-US",
  application_id: null,
  premium_progress_bar_enabled: false,
};

/** A message as Discord answers it, from what was asked to be shown. */
export function messageShape(
  id: string,
  shown: Json,
  { isEphemeral, isEdited }: { isEphemeral: boolean; isEdited: boolean },
): Json {
  const list = (value: unknown): Json[] => (Array.isArray(value) ? value.filter((item) => isJson(item)) : []);
  const withIds = (components: Json[]): Json[] =>
    components.map((component, index) => ({
      ...component,
      id: index + 1,
      ...(component["components"] !== undefined && { components: withIds(list(component["components"])) }),
    }));
  return checkSpec("MessageResponseSchema", {
    id,
    type: 20,
    channel_id: channelId,
    author: botUser,
    application_id: applicationId,
    content: typeof shown["content"] === "string" ? shown["content"] : "",
    embeds: list(shown["embeds"]).map((embed) => Object.assign({ type: "rich" }, embed)),
    components: withIds(list(shown["components"])),
    mentions: [],
    mention_roles: [],
    attachments: [],
    mention_everyone: false,
    pinned: false,
    tts: false,
    timestamp: "2026-11-21T00:00:00.000Z",
    edited_timestamp: isEdited ? "2026-11-21T00:00:01.000Z" : null,
    flags: isEphemeral ? 64 : 0,
  });
}
