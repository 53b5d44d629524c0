import { accessSync, constants, statSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { redact, type Secret } from "../token/secret.js";
import type { PluginConfig } from "./plugin-config.js";
import { shellWord } from "../files/shell-word.js";

export type ScriptRun = {
  /** Null where a signal ended it. */
  exitCode: number | null;
  timedOut: boolean;
  ms: number;
  /** The end of its output, bounded; not yet redacted. */
  output: string;
};

const keptBytes = 65_536;
const graceMs = 1_000;

/**
 * Runs the refresh script once, without a shell, in a process group of its own that dies whole at the timeout.
 * Rejects with `script_missing` or `script_not_executable`.
 */
export async function runRefreshScript(
  { refreshScript, runRefreshWith, refreshTimeoutMs }: PluginConfig,
  { env, elapsedMs }: { env: Readonly<Record<string, string | undefined>>; elapsedMs: () => number },
): Promise<ScriptRun> {
  if (runRefreshWith.length === 0) checkScript(refreshScript);
  const [program, ...words] = [...runRefreshWith, refreshScript] as const;
  const { execa } = await import("execa");
  const startedMs = elapsedMs();
  const script = execa(program, words, {
    env,
    extendEnv: false,
    stdin: "ignore",
    all: true,
    buffer: false,
    detached: true, // a process group of its own, to be ended whole
    reject: false,
  });
  const tail = keepTail(script.all);
  const endGroup = () => signalGroup(script.pid, "SIGKILL");
  // In a group of its own it would outlive a host that ends; and others clear up after it.
  process.prependOnceListener("exit", endGroup);
  let timedOut = false;
  const timers = [
    setTimeout(() => {
      timedOut = true;
      signalGroup(script.pid, "SIGTERM");
    }, refreshTimeoutMs),
    setTimeout(() => signalGroup(script.pid, "SIGKILL"), refreshTimeoutMs + graceMs),
  ];
  script.once("exit", () => {
    endGroup(); // what it left behind
    timers.push(setTimeout(() => script.all.destroy(), graceMs)); // or what left its group, output and all
  });
  const result = await script;
  process.off("exit", endGroup);
  for (const timer of timers) clearTimeout(timer);
  if (result.exitCode === undefined && result.signal === undefined) throw cannotStart(program, result);
  return { exitCode: result.exitCode ?? null, timedOut, ms: elapsedMs() - startedMs, output: tail() };
}

function checkScript(path: string): void {
  try {
    if (!statSync(path).isFile()) throw notExecutable(path, "it is not a file");
    accessSync(path, constants.X_OK);
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    if (errnoOf(error) === "EACCES") throw notExecutable(path, `run chmod +x ${shellWord(path)}`);
    throw new GhauthError(
      "script_missing",
      `The refresh script ${path} was not found: run bootstrap_user_refresh.sh, or correct plugins.ghauth.refresh_script.`,
      { cause: error },
    );
  }
}

function cannotStart(
  program: string,
  { code, cause }: { code?: string | undefined; cause?: unknown },
): GhauthError {
  if (code === "ENOENT") {
    return new GhauthError(
      "script_missing",
      `${program}, or the interpreter that its first line names, was not found.`,
    );
  }
  return notExecutable(
    program,
    code === "ENOEXEC" ? "its first line names no interpreter" : messageOf(cause),
  );
}

function notExecutable(path: string, reason: string): GhauthError {
  return new GhauthError(
    "script_not_executable",
    `The refresh script ${path} cannot be executed: ${reason}.`,
  );
}

function signalGroup(leader: number | undefined, signal: NodeJS.Signals): void {
  try {
    if (leader !== undefined) process.kill(-leader, signal);
  } catch {
    // the group has ended
  }
}

/** Keeps the end of a stream, however much comes. */
function keepTail(stream: NodeJS.ReadableStream): () => string {
  let chunks: Buffer[] = [];
  let length = 0;
  let isCut = false;
  stream.on("data", (chunk: Buffer | string) => {
    chunks.push(Buffer.from(chunk));
    length += chunk.length;
    if (length <= 2 * keptBytes) return;
    chunks = [Buffer.concat(chunks).subarray(-keptBytes)];
    length = keptBytes;
    isCut = true;
  });
  stream.on("error", () => {}); // the process's end tells what there is to tell
  return () => {
    const text = Buffer.concat(chunks).toString("utf8");
    // The first word of what was cut may be the rest of a secret.
    return isCut ? text.replace(/^\S*/, "…") : text;
  };
}

const shownLines = 20;
const shownCharacters = 1_500;

/** The end of a program's output as it may be shown: 20 lines and 1,500 characters at most, printable, redacted. */
export function renderTail(output: string, secrets: readonly Secret[]): string {
  const clean = redact(stripVTControlCharacters(output), secrets)
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\uFFFD]+/g, "·")
    .trim();
  const lines = clean.split("\n").slice(-shownLines).join("\n");
  return lines.length > shownCharacters ? `…${lines.slice(1 - shownCharacters)}` : lines;
}
