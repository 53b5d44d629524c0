import type * as z from "zod";
import { checkTable } from "../files/checked-table.js";
import { type Clock, systemClock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import type { AccessPolicy } from "../takopi/access.js";
import { alertsKey, type TakopiConfig } from "../takopi/takopi-config.js";
import type { Announcement, TransportDescriptor, TransportService } from "../takopi/transport.js";
import type { BotTokenKind } from "../token/bot-tokens.js";
import type { Secret } from "../token/secret.js";
import { type ChatTable, parseTable, readBotToken } from "./chat-table.js";

/** What a chat's bot connects with; `apiRoot` is another server to talk to, without a trailing slash. */
export type ChatConnection = { botToken: Secret; apiRoot: string | null; clock: Clock };

export type ChatDescription<Table extends ChatTable, Keys extends z.ZodRawShape> = {
  /** Also the row of its bot tokens' look, by which they are redacted. */
  name: BotTokenKind;
  /** Its table in takopi.toml: `commonKeys` and its own. */
  table: z.ZodType<Table>;
  /** Which of its keys say who may run restricted subcommands. */
  allowlistKeys: readonly string[];
  accessOf: (table: Table) => AccessPolicy;
  /** Imports what serves it, with the chat's library: only `ghauth run` needs it. */
  load: () => Promise<
    (connection: ChatConnection, service: TransportService, signal: AbortSignal) => Promise<void>
  >;
  /** How it is posted to without being served. */
  alerts: {
    /** Its own keys in `[plugins.ghauth.alerts]`. */
    table: z.ZodObject<Keys>;
    /** The place, for people. */
    nameOf: (where: Where<Table, Keys>) => string;
    /** Imports what posts, with the chat's library. */
    load: () => Promise<
      (connection: ChatConnection, where: Where<Table, Keys>, announcement: Announcement) => Promise<void>
    >;
  };
};

/** A chat's own table, and its keys of the alerts'. */
type Where<Table, Keys extends z.ZodRawShape> = { table: Table; alerts: z.output<z.ZodObject<Keys>> };

/** The descriptor of a chat that is served by a bot. */
export function describeChat<Table extends ChatTable, Keys extends z.ZodRawShape>({
  name,
  table: schema,
  allowlistKeys,
  accessOf,
  load,
  alerts,
}: ChatDescription<Table, Keys>): TransportDescriptor {
  const connect = (table: Table, { path }: TakopiConfig, env: Environment): ChatConnection => ({
    botToken: readBotToken(table, { key: `${path}: transports.${name}`, env }),
    apiRoot: table.api_root?.replace(/\/+$/, "") ?? null,
    clock: systemClock,
  });
  return {
    name,
    readAccess: (config) => accessOf(parseTable(schema, name, config)),
    create: (config, env) => {
      const table = parseTable(schema, name, config);
      const connection = connect(table, config, env);
      return {
        name,
        access: accessOf(table),
        allowlistKeys,
        login: { botToken: connection.botToken, variable: table.bot_token_env ?? null },
        postsStartupMessage: table.startup_message,
        run: async (service, signal) => {
          const serve = await load();
          await serve(connection, service, signal);
        },
      };
    },
    alerts: {
      keys: Object.keys(alerts.table.shape),
      describe: (config, settings) => {
        const table = parseTable(schema, name, config);
        const place = { path: config.path, key: alertsKey };
        const where = { table, alerts: checkTable(alerts.table, settings, place) };
        return {
          name: alerts.nameOf(where),
          variable: table.bot_token_env ?? null,
          open: (env) => {
            const connection = connect(table, config, env);
            return {
              botToken: connection.botToken,
              post: async (announcement) => (await alerts.load())(connection, where, announcement),
            };
          },
        };
      },
    },
  };
}
