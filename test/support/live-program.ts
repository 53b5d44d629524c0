import { spawn } from "node:child_process";
import { once } from "node:events";

/** A program in a session of its own, without a terminal, that is talked to while it runs; killed by `await using`. */
export function startProgram(
  [program, ...words]: readonly [string, ...string[]],
  { env, cwd }: { env: Record<string, string>; cwd: string },
) {
  const child = spawn(program, words, { env, cwd, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const ended = once(child, "exit");
  let output = "";
  let looked = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      child.emit("said");
    });
  }
  child.stdin.on("error", () => {}); // it may have ended

  return {
    pid: child.pid ?? 0,
    output: () => output,
    /** Resolves once the program has said this, after what was seen before; rejects if it ends without. */
    saw: async (text: string) => {
      for (let at: number; ;) {
        at = output.indexOf(text, looked);
        if (at !== -1) {
          looked = at + text.length;
          return;
        }
        if (child.exitCode !== null || child.signalCode !== null)
          throw new Error(`it ended without saying ${JSON.stringify(text)}: ${JSON.stringify(output)}`);
        await Promise.race([once(child, "said"), ended]);
      }
    },
    type: (text: string) => child.stdin.write(text),
    send: (signal: NodeJS.Signals) => child.kill(signal),
    exitCode: async () => {
      await ended;
      return child.exitCode;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
      process.kill(-child.pid, "SIGKILL");
      await ended;
    },
  };
}
