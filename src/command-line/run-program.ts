import { toGhauthError } from "../errors.js";
import { redact } from "../token/redact.js";
import { refuseToShowEnvironments } from "./node-debug.js";
import type { Asked, NamedProgram } from "./parse-words.js";
import { findPlainRun, type Run } from "./verb.js";

/** Runs what the words of a command line ask for. Resolves with the exit code; mistakes and failures are told on stderr. */
export async function runProgram(named: NamedProgram, words: readonly string[]): Promise<number> {
  const asked = await understand(named, words);
  if (asked.type === "run") return run(named, asked);
  if (asked.type === "misuse") return complain(named, asked.path, asked.sentence);
  process.stdout.write(asked.text);
  return 0;
}

/** Most often nothing needs to be parsed, and then the parser is not loaded. */
async function understand(named: NamedProgram, words: readonly string[]): Promise<Asked> {
  const plain = findPlainRun(named.program, words);
  if (plain) return { type: "run", ...plain };
  const { parseWords } = await import("./parse-words.js");
  return parseWords(named, words);
}

async function run(named: NamedProgram, { path, verb, options, operands }: Run): Promise<number> {
  try {
    refuseToShowEnvironments(process.env["NODE_DEBUG"] ?? "");
    const program = await verb.load?.();
    return program ? await program.main(options, operands, named.program) : 0;
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (error.code === "usage") return complain(named, path, error.message);
    process.stderr.write(redact(`${[named.name, ...path].join(" ")}: ${error.message}\n`));
    return error.exitCode;
  }
}

/** How the verb is used, then what was wrong, where it is read. */
async function complain(named: NamedProgram, path: readonly string[], sentence: string): Promise<number> {
  const { renderHelp } = await import("./parse-words.js");
  const where = [named.name, ...path].join(" ");
  process.stderr.write(`${renderHelp(named, path)}\n${redact(`${where}: ${sentence}`)}\n`);
  return 64;
}
