import type { Verb } from "../../command-line/verb.js";

/** A word that may come next, and what it is for. */
export type Candidate = { word: string; help: string };

/** A verb as completion sees it: where it is in the table, and what may follow it. */
export type Place = {
  /** The words that lead to it, each after a space: ` broker client`. */
  path: string;
  /** Its verbs, or what its operand may be. */
  words: Candidate[];
  options: Candidate[];
  /** The options that take a value, and whether that is a file's or directory's name. */
  valued: { flag: string; isPath: boolean }[];
  /** Its operands are a command line of their own. */
  takesCommand: boolean;
};

/** Every verb of a program, itself the first. */
export function placesOf(program: Verb, path = ""): Place[] {
  const verbs = Object.entries(program.verbs ?? {});
  const flags = Object.entries(program.options ?? {}).map(([flag, help]) => {
    const [word = "", value] = flag.split(" ");
    return { word, help, value };
  });
  const place: Place = {
    path,
    words: [
      ...(program.passesWordsOn ? [{ word: "--", help: "a command follows" }] : []),
      ...verbs.map(([word, { summary }]) => ({ word, help: summary })),
      ...choicesOf(program),
    ],
    options: [
      ...(path === "" ? [{ word: "--version", help: "show the version" }] : []),
      ...flags.map(({ word, help }) => ({ word, help })),
      { word: "--help", help: "show how it is used" },
    ],
    valued: flags.flatMap(({ word, value }) =>
      value === undefined ? [] : [{ flag: word, isPath: /^<(?:FILE|DIR)>/.test(value) }],
    ),
    takesCommand: program.passesWordsOn === true,
  };
  return [place, ...verbs.flatMap(([word, verb]) => placesOf(verb, `${path} ${word}`))];
}

/** `<bash|zsh|fish>` is one of three words. */
function choicesOf({ operands }: Verb): Candidate[] {
  const [operand = "", help = ""] = Object.entries(operands ?? {})[0] ?? [];
  return operand.includes("|")
    ? operand
        .slice(1, -1)
        .split("|")
        .map((word) => ({ word, help }))
    : [];
}
