import { destination } from "pino";

/** Where a busy log goes: lines are written beside the work; `flush` writes what is left at once. */
export type BatchedStdout = { write: (line: string) => void; flush: () => void };

/** One write for all that a turn of the event loop says: stdout measures what waits anew with every write. */
export function createBatchedStdout(): BatchedStdout {
  const stdout = destination({ dest: 1, sync: false });
  stdout.on("error", () => {}); // a reader that left is no failure of ours
  let lines = "";
  const handOver = () => {
    if (lines !== "") stdout.write(lines);
    lines = "";
  };
  return {
    write: (line) => {
      if (lines === "") setImmediate(handOver);
      lines += line;
    },
    flush: () => {
      try {
        handOver();
        stdout.flushSync();
      } catch {
        // nobody reads it any more
      }
    },
  };
}
