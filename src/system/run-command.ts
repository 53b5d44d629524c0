import { spawn } from "node:child_process";

export type CommandResult = {
  exitCode: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
};

const largestOutput = 1_048_576;
const lastWordsMs = 200;

/**
 * Runs a program without a shell, with `input` on its stdin, in a process group that dies whole at `timeoutMs`
 * (then `signal` is SIGKILL). Each stream is kept up to 1 MB. Rejects with the system's error if it cannot start.
 */
export async function runCommand(
  [program, ...words]: readonly [string, ...string[]],
  { env, timeoutMs, input = "" }: { env: NodeJS.ProcessEnv; timeoutMs: number; input?: string },
): Promise<CommandResult> {
  const child = spawn(program, words, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  const output = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      if (output[name].length < largestOutput) output[name] += text;
    });
  }
  child.stdin.on("error", () => {}); // a program that does not read its stdin is no failure
  child.stdin.end(input);

  const killGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
    } catch {
      // the group is gone already
    }
  };
  process.prependOnceListener("exit", killGroup); // we may be stopped first, and others clear up after it
  const timer = setTimeout(killGroup, Math.max(1, timeoutMs));
  let lastWords: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      const finish = () => resolve({ exitCode: child.exitCode, signal: child.signalCode, ...output });
      child.once("error", reject);
      child.once("close", finish);
      child.once("exit", () => {
        // What it left running must not hold its output open, nor us if it left the group.
        killGroup();
        lastWords = setTimeout(finish, lastWordsMs);
      });
    });
  } finally {
    clearTimeout(timer);
    clearTimeout(lastWords);
    child.stdout.destroy();
    child.stderr.destroy();
    process.off("exit", killGroup);
  }
}
