import type * as z from "zod";
import { type Clock, systemClock } from "../system/clock.js";
import type { AccessPolicy } from "../takopi/access.js";
import type { TransportDescriptor, TransportService } from "../takopi/transport.js";
import type { BotTokenKind } from "../token/bot-tokens.js";
import type { Secret } from "../token/secret.js";
import { type ChatTable, parseTable, readBotToken } from "./chat-table.js";

/** What a chat's bot connects with; `apiRoot` is another server to talk to, without a trailing slash. */
export type ChatConnection = { botToken: Secret; apiRoot: string | null; clock: Clock };

export type ChatDescription<Table extends ChatTable> = {
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
};

/** The descriptor of a chat that is served by a bot. */
export function describeChat<Table extends ChatTable>({
  name,
  table: schema,
  allowlistKeys,
  accessOf,
  load,
}: ChatDescription<Table>): TransportDescriptor {
  return {
    name,
    readAccess: (config) => accessOf(parseTable(schema, name, config)),
    create: (config, env) => {
      const table = parseTable(schema, name, config);
      const botToken = readBotToken(table, { key: `${config.path}: transports.${name}`, env });
      const apiRoot = table.api_root?.replace(/\/+$/, "") ?? null;
      return {
        name,
        access: accessOf(table),
        allowlistKeys,
        login: { botToken, variable: table.bot_token_env ?? null },
        postsStartupMessage: table.startup_message,
        run: async (service, signal) => {
          const serve = await load();
          await serve({ botToken, apiRoot, clock: systemClock }, service, signal);
        },
      };
    },
  };
}
