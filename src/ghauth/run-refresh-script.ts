import { accessSync, constants, statSync } from "node:fs";
import { stripVTControlCharacters } from "node:util";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";
import { runProcessGroup } from "../system/run-in-group.js";
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
  {
    options,
    env,
    elapsedMs,
  }: { options: readonly string[]; env: NodeJS.ProcessEnv; elapsedMs: () => number },
): Promise<ScriptRun> {
  if (runRefreshWith.length === 0) checkScript(refreshScript);
  const [program = refreshScript, ...words] = [...runRefreshWith, refreshScript, ...options];
  const startedMs = elapsedMs();
  const tail = keepTail();
  try {
    const { exitCode, timedOut } = await runProcessGroup([program, ...words], {
      env,
      timeoutMs: refreshTimeoutMs,
      graceMs,
      onOutput: (_stream, chunk) => tail.add(chunk),
    });
    return { exitCode, timedOut, ms: elapsedMs() - startedMs, output: tail.text() };
  } catch (error) {
    throw cannotStart(program, error);
  }
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

function cannotStart(program: string, error: unknown): GhauthError {
  const errno = errnoOf(error);
  if (errno === "ENOENT") {
    return new GhauthError(
      "script_missing",
      `${program}, or the interpreter that its first line names, was not found.`,
    );
  }
  return notExecutable(
    program,
    errno === "ENOEXEC" ? "its first line names no interpreter" : messageOf(error),
  );
}

function notExecutable(path: string, reason: string): GhauthError {
  return new GhauthError(
    "script_not_executable",
    `The refresh script ${path} cannot be executed: ${reason}.`,
  );
}

/** Keeps the end of what is added, however much comes. */
function keepTail(): { add: (chunk: Buffer) => void; text: () => string } {
  let chunks: Buffer[] = [];
  let length = 0;
  let isCut = false;
  return {
    add: (chunk) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= 2 * keptBytes) return;
      chunks = [Buffer.concat(chunks).subarray(-keptBytes)];
      length = keptBytes;
      isCut = true;
    },
    text: () => {
      const text = Buffer.concat(chunks).toString("utf8");
      // The first word of what was cut may be the rest of a secret.
      return isCut ? text.replace(/^\S*/, "…") : text;
    },
  };
}

const shownLines = 20;
const shownCharacters = 1_500;

/** The end of a program's output as it may be shown: 20 lines and 1,500 characters at most, printable, redacted. */
export function renderTail(output: string, secrets: readonly Secret[]): string {
  const clean = stripVTControlCharacters(redact(output, secrets))
    // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
    .replace(/[\u0000-\u0008\u000B-\u001F\u007F-\u009F\uFFFD]+/g, "·")
    .trim();
  const lines = clean.split("\n").slice(-shownLines).join("\n");
  return lines.length > shownCharacters ? `…${lines.slice(1 - shownCharacters)}` : lines;
}
