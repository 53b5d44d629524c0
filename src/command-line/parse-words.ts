import { Command, CommanderError, Option } from "commander";
import { GhauthError } from "../errors.js";
import { findVerb, type Run, type Verb } from "./verb.js";

/** A table, and what its program is called. */
export type NamedProgram = { name: string; program: Verb; version?: () => string };

/** What the words of a command line ask for; a misuse is of the verb at `path`. */
export type Asked =
  | ({ type: "run" } & Run)
  | { type: "text"; text: string }
  | { type: "misuse"; path: string[]; sentence: string };

/** Parses the words of a command line as the table says. */
export function parseWords(named: NamedProgram, words: readonly string[]): Asked {
  return parse(named, words, { runsVerbs: true });
}

/** The help of the verb at `path`. Throws `usage`, with what was probably meant, where there is none. */
export function renderHelp(named: NamedProgram, path: readonly string[]): string {
  const isVerb = findVerb(named.program, path) !== null;
  const asked = parse(named, isVerb ? [...path, "--help"] : path, { runsVerbs: false });
  if (asked.type === "text") return asked.text;
  throw new GhauthError("usage", asked.type === "misuse" ? asked.sentence : noVerb(path));
}

function noVerb(path: readonly string[]): string {
  return `there is no verb '${path.join(" ")}'`;
}

/** Without `runsVerbs` a verb that has verbs of its own is nothing by itself, and each other word was meant as one of them. */
function parse(named: NamedProgram, words: readonly string[], { runsVerbs }: { runsVerbs: boolean }): Asked {
  let text = "";
  let asked: Asked = { type: "misuse", path: [], sentence: noVerb(words) };
  const createCommand = (name: string, verb: Verb, path: string[]): Command => {
    const command = new Command(name).summary(verb.summary).description(describe(verb));
    command.helpCommand(false).helpOption("-h, --help", "show this").showSuggestionAfterError();
    command.enablePositionalOptions().passThroughOptions(verb.passesWordsOn ?? false);
    command.configureOutput({ writeOut: (written) => (text += written), writeErr: () => {} });
    command.exitOverride((error) => {
      const isStrayWord = error.code === "commander.excessArguments" && runsVerbs && verb.verbs;
      if (error.exitCode === 0) asked = { type: "text", text };
      else if (isStrayWord) asked = parse(named, words, { runsVerbs: false });
      else asked = { type: "misuse", path, sentence: sentenceOf(error) };
      throw error;
    });
    for (const [operand, help] of Object.entries(verb.operands ?? {})) command.argument(operand, help);
    if (verb.passesWordsOn) command.usage(`[options] -- ${Object.keys(verb.operands ?? {}).join(" ")}`);
    for (const [flags, help] of Object.entries(verb.options ?? {}))
      command.addOption(createOption(flags, help));
    command.addHelpText("after", () => renderSections(verb, command));
    for (const [child, row] of Object.entries(verb.verbs ?? {}))
      command.addCommand(createCommand(child, row, [...path, child]));
    if (verb.load && (runsVerbs || !verb.verbs))
      command.action(() => {
        asked = { type: "run", path, verb, options: command.opts(), operands: command.args };
      });
    return command;
  };
  const root = createCommand(named.name, named.program, []);
  if (named.version !== undefined) root.version(named.version(), "-V, --version", "show the version");
  try {
    root.parse(words, { from: "user" });
  } catch (error) {
    // Its exit was asked for above.
    if (!(error instanceof CommanderError)) throw error;
  }
  return asked;
}

/** `--workspace <ID>...` may be given again; commander's own form would take the operands after it, too. */
function createOption(flags: string, help: string): Option {
  const repeated = flags.endsWith("...");
  const option = new Option(flags.replace(/\.\.\.$/, ""), help);
  if (!repeated) return option;
  return option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value]);
}

function describe({ summary, details }: Verb): string {
  const sentence = `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`;
  return details === undefined ? sentence : `${sentence}\n\n${details}`;
}

function renderSections({ variables, exitCodes }: Verb, command: Command): string {
  const help = command.createHelp();
  help.prepareContext({});
  return Object.entries({ "Environment:": variables, "Exit codes:": exitCodes })
    .flatMap(([title, rows]) => {
      const items = Object.entries(rows ?? {});
      const width = Math.max(...items.map(([term]) => term.length));
      const lines = items.map(([term, text]) => help.formatItem(term, width, text, help));
      return items.length === 0 ? [] : ["", title, lines.join("\n")];
    })
    .join("\n");
}

/** `error: unknown option '--jsn'\n(Did you mean --json?)`, in one sentence. */
function sentenceOf({ code, message }: CommanderError): string {
  if (code === "commander.help") return "a verb is missing";
  return message.replace(/^error: /, "").replace(/\n\(Did you mean (.*)\?\)$/, ": did you mean $1?");
}
