#!/usr/bin/env node
import { ghauth } from "./cli/verbs.js";
import type { Asked } from "./command-line/parse-words.js";
import { findPlainRun, type Run } from "./command-line/verb.js";
import { toGhauthError } from "./errors.js";
import { redact } from "./token/redact.js";

async function main(words: string[]): Promise<number> {
  const plain = findPlainRun(ghauth, words); // most often nothing needs to be parsed: the parser is not loaded for it
  const asked: Asked = plain ? { type: "run", ...plain } : await parse(words);
  if (asked.type === "misuse") return complainOfUse(asked.path, asked.sentence);
  if (asked.type === "run") return run(asked);
  process.stdout.write(asked.text);
  return 0;
}

async function parse(words: string[]): Promise<Asked> {
  const { parseWords } = await import("./command-line/parse-words.js");
  const { ownVersion } = await import("./system/own-package.js");
  return parseWords({ name: "ghauth", program: ghauth, version: ownVersion() }, words);
}

async function run({ path, verb, options, operands }: Run): Promise<number> {
  try {
    if (verb.sendsSecrets && process.env["NODE_DEBUG"]) return await withoutNodeDebug();
    const program = await verb.load?.();
    return program ? await program.main(options, operands, ghauth) : 0;
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (error.code === "usage") return complainOfUse(path, error.message);
    process.stderr.write(redact(`${["ghauth", ...path].join(" ")}: ${error.message}\n`));
    return error.exitCode;
  }
}

/** How the verb is used, then what was wrong, where it is read. */
async function complainOfUse(path: string[], sentence: string): Promise<number> {
  const { renderHelp } = await import("./command-line/parse-words.js");
  const usage = renderHelp({ name: "ghauth", program: ghauth }, path);
  process.stderr.write(`${usage}\n${redact(`${["ghauth", ...path].join(" ")}: ${sentence}`)}\n`);
  return 64;
}

/** Node has read NODE_DEBUG at its start, and only another Node goes without it. */
async function withoutNodeDebug(): Promise<number> {
  const { runInPlace } = await import("./exec/run-in-place.js");
  const { NODE_DEBUG: _, ...env } = process.env;
  return runInPlace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
}

// A reader that left (`ghauth status | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await main(process.argv.slice(2));
