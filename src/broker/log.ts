import { destination, pino, type Logger } from "pino";
import { GhauthError } from "../errors.js";

export type Log = Logger;

const levels = ["debug", "info", "warn", "error"];

/** JSON lines on stdout, of LOG_LEVEL and above. They are written beside the work; `flush` writes what is left at once. */
export function createLog(level: string | undefined): { log: Log; flush: () => void } {
  if (level && !levels.includes(level))
    throw new GhauthError("config_invalid", `LOG_LEVEL must be one of ${levels.join(", ")}.`);
  // One write for many lines under load, and none later than a tenth of a second.
  const stdout = destination({ dest: 1, sync: false, minLength: 8192, periodicFlush: 100 });
  stdout.on("error", () => {}); // a reader that left is no failure of ours
  const options = {
    level: level || "info",
    base: null,
    timestamp: () => `,"at":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  return { log: pino(options, stdout), flush: () => flush(stdout) };
}

function flush(stdout: ReturnType<typeof destination>): void {
  try {
    stdout.flushSync();
  } catch {
    // nobody reads it any more
  }
}
