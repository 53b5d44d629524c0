import { spawn } from "node:child_process";
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

const notFound = 127;
const notExecutable = 126;

const reasons: Record<string, string> = {
  ENOENT: "it, or the interpreter that its first line names, was not found",
  ENOTDIR: "a part of its path is not a directory",
  EACCES: "it is a directory, or not executable for this user",
  ENOEXEC: "it is no program for this machine",
  E2BIG: "its arguments and environment are too long together",
};

/**
 * Runs a program as if it were us, as far as Node, which has no exec(2), lets it: it has our standard streams, is in
 * our process group (so that shell and terminal treat both as one job), and gets our signals. Resolves with its exit
 * code; with 128 + n where signal n ended it, 127 where it was not found, 126 where it cannot be executed.
 */
export async function runInPlace(
  [program, ...words]: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const waiting = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      if (program === "") throw Object.assign(new Error("its name is empty"), { code: "ENOENT" });
      const child = spawn(program, words, { env, stdio: "inherit" });
      for (const signal of forwarded) {
        const forward = () => {
          // The terminal has sent it to the command already, and twice would mean something else.
          if (!fromTerminal.has(signal) || !isInForeground()) child.kill(signal);
        };
        process.on(signal, forward);
        waiting.signal.addEventListener("abort", () => process.off(signal, forward));
      }
      child.once("error", reject);
      child.once("exit", (code, signal) => resolve(code ?? 128 + constants.signals[signal ?? "SIGKILL"]));
    });
  } catch (error) {
    const isMissing = ["ENOENT", "ENOTDIR"].includes(errnoOf(error) ?? "");
    const reason = reasons[errnoOf(error) ?? ""] ?? messageOf(error);
    process.stderr.write(`ghauth exec: cannot run ${JSON.stringify(program)}: ${reason}.\n`);
    return isMissing ? notFound : notExecutable;
  } finally {
    waiting.abort();
  }
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
