import type { Verb } from "../../src/command-line/verb.js";
import { everyVerb } from "./every-verb.js";

/** A table of Markdown with a row for each verb that does something: all that it takes, and what it does. */
export function renderVerbTable(name: string, program: Verb): string {
  const rows = everyVerb(program)
    .filter(({ verb }) => verb.load)
    .map(({ path, verb }) => `| \`${synopsisOf([name, ...path], verb)}\` | ${verb.summary} |`);
  return ["| command | does |", "| --- | --- |", ...rows].join("\n");
}

function synopsisOf(words: readonly string[], { options = {}, operands = {}, passesWordsOn }: Verb): string {
  return [
    ...words,
    ...Object.keys(options).map((flags) => repeat(`[${flags.replace(/<(.*)>/, "$1")}]`)),
    ...(passesWordsOn ? ["--"] : []),
    ...Object.keys(operands).map((operand) => repeat(operand.replace(/^<(.*)>$/, "$1"))),
  ]
    .join(" ")
    .replaceAll("|", String.raw`\|`);
}

/** `[--workspace ID...]` as people write it. */
function repeat(text: string): string {
  return text.replace(/\.\.\.\]$/, "]…");
}
