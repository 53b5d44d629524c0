import { readFileSync, statSync } from "node:fs";
import * as z from "zod";
import { GhauthError, messageOf } from "../errors.js";
import { expandPath, type Environment, resolvePaths } from "../system/paths.js";
import { Secret } from "../token/secret.js";
import type { AccessPolicy } from "./access.js";
import type { TakopiConfig } from "./takopi-config.js";
import { shellWord } from "../files/shell-word.js";

/** What every chat transport's table holds, parsed. */
export type TransportConfig = {
  botToken: Secret;
  access: AccessPolicy;
  startupMessage: boolean;
  /** Another server to talk to, without a trailing slash. */
  apiRoot: string | null;
};

// Ids may stand as strings or as bare numbers; Discord's exceed 2^53 and come as bigint.
const anId = "an id: digits, in quotes or bare";
const id = z.union([z.string().regex(/^-?\d{1,20}$/, anId), z.int(), z.bigint()], anId).transform(String);
const ids = z.array(id, "a list of ids, as in [42]").default([]);
const text = z.string("text in quotes").min(1, "text in quotes").optional();

const common = {
  bot_token: text,
  bot_token_file: text,
  bot_token_env: text,
  startup_message: z.boolean("true or false").default(false),
  api_root: z.url({ protocol: /^https?$/, error: "an http or https URL" }).optional(),
  allowed_user_ids: ids,
};
// Keys that only the real Takopi knows are left alone.
const telegram = z.object({ ...common, chat_id: id });
const discord = z.object({ ...common, guild_id: id.optional(), allowed_role_ids: ids });

/** Who may do what by way of a transport, without its token. Rejects with `config_invalid`, naming file and key. */
export function readAccessPolicy(name: "telegram" | "discord", config: TakopiConfig): AccessPolicy {
  const table = config.transportConfig(name);
  const where = { config, name };
  if (name === "telegram") {
    const parsed = parseTable(telegram, table, where);
    return {
      place: { type: "chat", id: parsed.chat_id },
      userIds: new Set(parsed.allowed_user_ids),
      roleIds: new Set(),
    };
  }
  const parsed = parseTable(discord, table, where);
  return {
    place: parsed.guild_id === undefined ? null : { type: "guild", id: parsed.guild_id },
    userIds: new Set(parsed.allowed_user_ids),
    roleIds: new Set(parsed.allowed_role_ids),
  };
}

/** A transport's table with its bot token. Rejects with `config_invalid`, naming file and key. */
export function readTransportConfig(
  name: "telegram" | "discord",
  config: TakopiConfig,
  env: Environment,
): TransportConfig {
  const access = readAccessPolicy(name, config);
  const table = parseTable(z.object(common), config.transportConfig(name), { config, name });
  return {
    botToken: readBotToken(table, { key: `${config.path}: transports.${name}`, env }),
    access,
    startupMessage: table.startup_message,
    apiRoot: table.api_root?.replace(/\/+$/, "") ?? null,
  };
}

/** The environment variable that holds a transport's bot token, if one does: not for anybody else to inherit. */
export function botTokenVariable(name: string, config: TakopiConfig): string | null {
  const variable = config.transportConfig(name)["bot_token_env"];
  return typeof variable === "string" && variable !== "" ? variable : null;
}

type TokenKeys = Partial<Record<"bot_token" | "bot_token_file" | "bot_token_env", string | undefined>>;

function readBotToken(table: TokenKeys, { key, env }: { key: string; env: Environment }): Secret {
  const { bot_token, bot_token_file, bot_token_env } = table;
  if ([bot_token, bot_token_file, bot_token_env].filter((value) => value !== undefined).length !== 1)
    throw invalid(`${key} needs one of bot_token, bot_token_file and bot_token_env.`);
  if (bot_token !== undefined) return checkToken(bot_token, `${key}.bot_token`);
  if (bot_token_env !== undefined) {
    const value = env[bot_token_env];
    if (!value) throw invalid(`${key}.bot_token_env names ${bot_token_env}, which is not set.`);
    return checkToken(value, `${key}.bot_token_env: what ${bot_token_env} holds`);
  }
  const path = expandPath(bot_token_file ?? "", resolvePaths(env));
  try {
    if ((statSync(path).mode & 0o007) !== 0)
      throw invalid(`${key}.bot_token_file: everybody can read ${path}: run chmod 600 ${shellWord(path)}.`);
    return checkToken(readFileSync(path, "utf8").trim(), `${key}.bot_token_file: what ${path} holds`);
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    throw invalid(`${key}.bot_token_file cannot be read: ${messageOf(error)}.`, error);
  }
}

/** A token goes into addresses and headers: nothing else may slip in with it. */
function checkToken(value: string, what: string): Secret {
  if (!/^[A-Za-z0-9:._-]+$/.test(value))
    throw invalid(`${what} must be a bot token: letters, digits and : . _ - only.`);
  return new Secret(value);
}

function parseTable<T extends z.ZodType>(
  schema: T,
  table: Readonly<Record<string, unknown>>,
  { config, name }: { config: TakopiConfig; name: string },
): z.output<T> {
  const parsed = schema.safeParse(table);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = ["transports", name, ...(issue?.path ?? [])].join(".");
  throw invalid(`${config.path}: ${key} must be ${issue?.message ?? "something else"}.`);
}

function invalid(sentence: string, cause?: unknown): GhauthError {
  return new GhauthError("config_invalid", sentence, { cause });
}
