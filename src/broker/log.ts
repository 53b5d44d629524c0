import { destination, pino, type Logger } from "pino";
import { GhauthError } from "../errors.js";

export type Log = Logger;

const levels = ["debug", "info", "warn", "error"];

/** JSON lines on stdout, of LOG_LEVEL and above. They are written beside the work; `flush` writes what is left at once. */
export function createLog(level: string | undefined): { log: Log; flush: () => void } {
  if (level && !levels.includes(level))
    throw new GhauthError("config_invalid", `LOG_LEVEL must be one of ${levels.join(", ")}.`);
  const stdout = destination({ dest: 1, sync: false });
  stdout.on("error", () => {}); // a reader that left is no failure of ours
  const options = {
    level: level || "info",
    base: null,
    timestamp: createTimestamp(),
    formatters: { level: (label: string) => ({ level: label }) },
  };
  // One write for all that a turn of the event loop says: it measures what waits anew with every write.
  let lines = "";
  const handOver = () => {
    if (lines !== "") stdout.write(lines);
    lines = "";
  };
  const write = (line: string) => {
    if (lines === "") setImmediate(handOver);
    lines += line;
  };
  const flush = () => {
    try {
      handOver();
      stdout.flushSync();
    } catch {
      // nobody reads it any more
    }
  };
  return { log: pino(options, { write }), flush };
}

/** Many lines share a millisecond under load, and rendering one costs as much as the rest of a line. */
function createTimestamp(): () => string {
  let renderedMs = 0;
  let rendered = "";
  return () => {
    const nowMs = Date.now();
    if (nowMs !== renderedMs) rendered = `,"at":"${new Date(nowMs).toISOString()}"`;
    renderedMs = nowMs;
    return rendered;
  };
}
