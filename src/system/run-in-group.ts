import { spawn } from "node:child_process";

/** How a program ended: by itself, or by a signal; `timedOut` where it was ours, for it took too long. */
export type ProcessEnd = { exitCode: number | null; signal: NodeJS.Signals | null; timedOut: boolean };

export type ProcessGroupOptions = {
  env: NodeJS.ProcessEnv;
  timeoutMs: number;
  /** How long the group has between SIGTERM, at the timeout, and SIGKILL; without it there is no SIGTERM. */
  graceMs?: number;
  input?: string;
  onOutput: (stream: "stdout" | "stderr", chunk: Buffer) => void;
};

const lastWordsMs = 200;

/**
 * Runs a program without a shell, in a process group of its own that dies whole: at the timeout, with its leader, or
 * with us. Resolves when the program has ended, whatever it left behind. Rejects with the system's error if it cannot
 * start.
 */
export async function runProcessGroup(
  [program, ...words]: readonly [string, ...string[]],
  { env, timeoutMs, graceMs = 0, input = "", onOutput }: ProcessGroupOptions,
): Promise<ProcessEnd> {
  const child = spawn(program, words, { env, detached: true, stdio: ["pipe", "pipe", "pipe"] });
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].on("data", (chunk: Buffer) => onOutput(stream, chunk));
  child.stdin.on("error", () => {}); // a program that does not read its stdin is no failure
  child.stdin.end(input);

  const kill = (signal: NodeJS.Signals) => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, signal);
    } catch {
      // the group is gone already
    }
  };
  const end = () => kill("SIGKILL");
  process.prependOnceListener("exit", end); // we may be stopped first, and others clear up after it
  let timedOut = false;
  const timers = [
    setTimeout(
      () => {
        timedOut = true;
        kill(graceMs > 0 ? "SIGTERM" : "SIGKILL");
      },
      Math.max(1, timeoutMs),
    ),
    setTimeout(end, Math.max(1, timeoutMs) + graceMs),
  ];
  try {
    return await new Promise((resolve, reject) => {
      const finish = () => resolve({ exitCode: child.exitCode, signal: child.signalCode, timedOut });
      child.once("error", reject);
      child.once("close", finish);
      child.once("exit", () => {
        // What it left running must not hold its output open, nor us if it left the group.
        end();
        timers.push(setTimeout(finish, lastWordsMs));
      });
    });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
    process.off("exit", end);
  }
}
