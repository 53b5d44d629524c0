import { pino } from "pino";
import { GhauthError } from "../errors.js";
import type { Environment } from "../system/paths.js";
import { redact, type Secret } from "../token/secret.js";

/** Writes one line an event: a dotted name, and fields. */
export type Log = Record<"debug" | "info" | "warn" | "error", (event: string, fields?: LogFields) => void>;
export type LogFields = Readonly<Record<string, unknown>>;

const levels = ["debug", "info", "warn", "error"] as const;

/**
 * A log of JSON lines in UTC, at `LOG_LEVEL` (info) and above. Whatever looks like a credential, and any piece of
 * the `known` secrets, is taken out of the finished line. Rejects with `config_invalid`.
 */
export function createLog(
  { env, output }: { env: Environment; output: { write: (line: string) => unknown } },
  known: readonly Secret[],
): Log {
  const logger = pino(
    {
      level: parseLevel(env["LOG_LEVEL"]),
      base: null,
      messageKey: "event",
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (level) => ({ level }) },
    },
    { write: (line) => void output.write(redact(line, known)) },
  );
  const at =
    (level: (typeof levels)[number]) =>
    (event: string, fields: LogFields = {}) =>
      logger[level](fields, event);
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function parseLevel(value: string | undefined): string {
  const level = (value || "info").toLowerCase();
  if (levels.some((known) => known === level)) return level;
  throw new GhauthError(
    "config_invalid",
    `LOG_LEVEL is ${JSON.stringify(value)}: set it to one of ${levels.join(", ")}.`,
  );
}
