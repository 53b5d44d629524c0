import { pino } from "pino";
import { GhauthError } from "../errors.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";

const levels = ["debug", "info", "warn", "error"] as const;

export type LogLevel = (typeof levels)[number];
export type LogFields = Readonly<Record<string, unknown>>;

/** Writes one JSON line an event: a dotted name, and fields. */
export type Log = Record<LogLevel, (event: string, fields?: LogFields) => void>;

/** A log for what happens thousands of times a second: most of such a line is prepared once, and each adds numbers. */
export type BusyLog = Log & {
  prepare: (event: string, fields: LogFields) => (numbers: Readonly<Record<string, number>>) => void;
};

export type LogOptions = {
  /** LOG_LEVEL as it was given, in any case; empty or undefined is `info`. */
  level: string | undefined;
  write: (line: string) => unknown;
  now?: () => Date;
  /** Secrets that are found in any form; whoever gave the list may change it. */
  known?: readonly Secret[];
};

/**
 * A log of JSON lines: `level`, `time` in UTC, `event`, then the fields. Whatever looks like a credential, and any
 * piece of a `known` secret, is taken out of the fields; an event's name stays as it is. Throws `config_invalid` at a
 * level that does not exist.
 */
export function createLog({ level, write, now = () => new Date(), known = [] }: LogOptions): BusyLog {
  const logger = pino(
    {
      level: parseLogLevel(level),
      base: null,
      timestamp: createTimestamp(now),
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => void write(line) },
  );
  const line = (event: string, fields: LogFields) => ({ event, ...redactFields(fields, known) });
  const at =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}) => {
      if (logger.isLevelEnabled(name)) logger[name](line(event, fields));
    };
  return {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    prepare: (event, fields) => {
      const prepared = logger.child(line(event, fields));
      return (numbers) => prepared.info(numbers);
    },
  };
}

function parseLogLevel(given: string | undefined): LogLevel {
  const level = levels.find((known) => known === (given || "info").toLowerCase());
  if (level !== undefined) return level;
  throw new GhauthError(
    "config_invalid",
    `LOG_LEVEL is ${JSON.stringify(given)}: set it to one of ${levels.join(", ")}.`,
  );
}

/** Many lines share a millisecond under load, and rendering one costs as much as the rest of a line. */
function createTimestamp(now: () => Date): () => string {
  let renderedMs = Number.NaN;
  let rendered = "";
  return () => {
    const at = now();
    const atMs = at.getTime();
    if (atMs !== renderedMs) rendered = `,"time":"${at.toISOString()}"`;
    renderedMs = atMs;
    return rendered;
  };
}

function redactFields(fields: LogFields, known: readonly Secret[]): LogFields {
  const clean: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) clean[name] = redactValue(value, known);
  return clean;
}

/** Value by value, and not the finished line: a cut PEM block would take the rest of its line along. */
function redactValue(value: unknown, known: readonly Secret[]): unknown {
  if (typeof value === "string") return redact(value, known);
  if (Array.isArray(value)) return value.map((item) => redactValue(item, known));
  if (typeof value !== "object" || value === null || "toJSON" in value) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [redact(name, known), redactValue(item, known)]),
  );
}
