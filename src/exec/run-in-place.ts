import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { errnoOf, messageOf } from "../errors.js";

/** What others send us and mean for the command. Not SIGTSTP: its default stops us, and the terminal stops the command. */
const forwarded = [
  "SIGHUP",
  "SIGINT",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGTERM",
  "SIGCONT",
  "SIGWINCH",
] as const;

const fromTerminal: ReadonlySet<string> = new Set(["SIGINT", "SIGQUIT", "SIGWINCH"]);

/**
 * Runs a program as if it were us, as far as Node, which has no exec(2), lets it: it has our standard streams, is in
 * our process group (so that shell and terminal treat both as one job), and gets our signals. Resolves with its exit
 * code; with 128 + n where signal n ended it, 127 where it was not found, 126 where it cannot be executed.
 */
export async function runInPlace(
  [program, ...words]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  let child: ChildProcess | undefined;
  const forward = (signal: NodeJS.Signals) => {
    // The terminal has sent it to the command already, and twice would mean something else.
    if (!fromTerminal.has(signal) || !isInForeground()) child?.kill(signal);
  };
  // Before the command is there: it may be known, and we be sent a signal, as soon as it is.
  for (const signal of forwarded) process.on(signal, forward);
  try {
    if (program === "") return sayWhy(program, "ENOENT");
    child = spawn(program, words, { env, stdio: "inherit" });
    const { code, signal } = await ending(child);
    return code ?? 128 + constants.signals[signal ?? "SIGKILL"];
  } catch (error) {
    return sayWhy(program, errnoOf(error) ?? messageOf(error));
  } finally {
    for (const signal of forwarded) process.off(signal, forward);
  }
}

async function ending(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
    child.on("error", (error) => {
      // Also told of here: a signal that we may not send, since the command became another user (sudo).
      if (child.pid === undefined) reject(error);
    });
  });
}

const reasons: Record<string, string> = {
  ENOENT: "it, or the interpreter that its first line names, was not found",
  ENOTDIR: "a part of its path is not a directory",
  EACCES: "it is a directory, or not executable for this user",
  ENOEXEC: "it is no program for this machine",
  E2BIG: "its arguments and environment are too long together",
};

const notFound = 127;
const notExecutable = 126;

function sayWhy(program: string, reason: string): number {
  process.stderr.write(`ghauth exec: cannot run ${JSON.stringify(program)}: ${reasons[reason] ?? reason}.\n`);
  return ["ENOENT", "ENOTDIR"].includes(reason) ? notFound : notExecutable;
}

/** Whether we are in our terminal's foreground process group, to which it sends what is typed (proc_pid_stat(5)). */
function isInForeground(): boolean {
  try {
    const fields = readFileSync("/proc/self/stat", "latin1").split(") ").at(-1)?.split(" ") ?? [];
    const [, , group, , terminal, foreground] = fields;
    return terminal !== "0" && group === foreground;
  } catch {
    return process.stdin.isTTY; // no /proc: a terminal, if any, is our stdin
  }
}
