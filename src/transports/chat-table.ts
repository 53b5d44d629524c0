import { readFileSync, statSync } from "node:fs";
import * as z from "zod";
import { GhauthError, messageOf } from "../errors.js";
import { checkTable } from "../files/checked-table.js";
import { shellWord } from "../files/shell-word.js";
import { expandPath, type Environment, resolvePaths } from "../system/paths.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import { Secret } from "../token/secret.js";

// Ids may stand as strings or as bare numbers; some exceed 2^53 and come as bigint.
const anId = "an id: digits, in quotes or bare";
/** An id made of digits, of a user or of a place. */
export const id = z
  .union([z.string().regex(/^-?\d{1,20}$/, anId), z.int(), z.bigint()], anId)
  .transform(String);
export const ids = z.array(id, "a list of ids, as in [42]").default([]);
const text = z.string("text in quotes").min(1, "text in quotes").optional();

/** The keys that every chat's table has. Keys that only the real Takopi knows are left alone. */
export const commonKeys = {
  bot_token: text,
  bot_token_file: text,
  bot_token_env: text,
  startup_message: z.boolean("true or false").default(false),
  api_root: z.url({ protocol: /^https?$/, error: "an http or https URL" }).optional(),
};

export type ChatTable = z.output<z.ZodObject<typeof commonKeys>>;

/** `[transports.<name>]`, parsed. Throws `config_invalid`, naming file and key. */
export function parseTable<T>(schema: z.ZodType<T>, name: string, config: TakopiConfig): T {
  return checkTable(schema, config.transportConfig(name), { path: config.path, key: `transports.${name}` });
}

/** The bot token that a table holds or points to; `key` is the table's name in a sentence. Throws `config_invalid`. */
export function readBotToken(table: ChatTable, { key, env }: { key: string; env: Environment }): Secret {
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

function invalid(sentence: string, cause?: unknown): GhauthError {
  return new GhauthError("config_invalid", sentence, { cause });
}
