import { shellWord } from "../../files/shell-word.js";

export type Level = "ok" | "warning" | "error";

/** Keeps a value that holds a secret in a file of its own, and answers with the file's path. */
export type Keep = (value: string) => string;

/** A program and its arguments, and the command lines that put back what it changes, for `--fix` to print. */
export type Command = { words: readonly [string, ...string[]]; undo?: (keep: Keep) => string[] };

/** What mends something: commands, one after the other, or a sentence with a command in backticks. */
export type Remedy = readonly [Command, ...Command[]] | string;

/** What a check has found: `detail` is fit for chat. */
export type Finding = { level: Level; detail: string; remedy: Remedy | null };

export function ok(detail: string): Finding {
  return { level: "ok", detail, remedy: null };
}

export function warning(detail: string, remedy: Remedy): Finding {
  return { level: "warning", detail, remedy };
}

export function error(detail: string, remedy: Remedy): Finding {
  return { level: "error", detail, remedy };
}

/** A warning that something lies outside of what the chat host's sandbox shows. */
export function unseen(what: string): Finding {
  return warning(
    `${what} cannot be seen from here, the chat host's sandbox`,
    "Look from a shell of the host: `ghauth doctor`",
  );
}

/** A remedy of one command, of which there is nothing to put back. */
export function command(...words: Command["words"]): Remedy {
  return [{ words }];
}

/** A command as a line for a shell. */
export function commandLine({ words }: Command): string {
  return words.map((word) => shellWord(word)).join(" ");
}

/** Command lines alone, or a sentence with the command in backticks. */
export function renderRemedy(remedy: Remedy): string {
  return typeof remedy === "string" ? remedy : remedy.map((each) => commandLine(each)).join("\n");
}
