import { redact, type Secret } from "../token/secret.js";

const levels = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof levels)[number];
type Fields = Record<string, string | number | boolean | null | undefined>;

/** One JSON object a line, for whoever collects a container's output; `known` are secrets to be found in any form. */
export type EventLog = {
  say: (level: LogLevel, event: string, fields?: Fields) => void;
  known: Secret[];
};

/** Whether `text` is a value of LOG_LEVEL. */
export function isLogLevel(text: string): text is LogLevel {
  return levels.some((level) => level === text);
}

/** A log that leaves out what is below `level`. */
export function createEventLog(
  { now, write }: { now: () => Date; write: (line: string) => void },
  level: LogLevel,
): EventLog {
  const known: Secret[] = [];
  return {
    known,
    say: (at, event, fields = {}) => {
      if (levels.indexOf(at) < levels.indexOf(level)) return;
      const clean = Object.entries(fields).map(([name, value]) => [
        name,
        typeof value === "string" ? redact(value, known) : value,
      ]);
      const line = { at: now().toISOString(), level: at, event, ...Object.fromEntries(clean) };
      write(`${JSON.stringify(line)}\n`);
    },
  };
}
