import { closestWord } from "../../takopi/closest-word.js";
import { renderPage } from "../page.js";
import type { Subcommand } from "../subcommand.js";

/** Also what is shown for no subcommand, or for one that there is not. */
export const help: Subcommand = {
  name: "help",
  summary: "this list",
  run: ({ context, subcommands }) => {
    const names = subcommands.map(({ name }) => name);
    const word = context.args[0] ?? "";
    const isKnown = word === "" || names.includes(word.toLowerCase());
    return renderPage({
      title: isKnown ? "Keeps this host's GitHub token alive." : complaintOf(word, names),
      level: isKnown ? "ok" : "warn",
      fields: subcommands.map(({ name, summary }) => ({ name: `/ghauth ${name}`, value: summary })),
      actions: [],
    });
  },
};

const longestWord = 40;

function complaintOf(word: string, names: readonly string[]): string {
  const shown = word.length > longestWord ? `${word.slice(0, longestWord)}…` : word;
  const meant = closestWord(word, names);
  return `There is no /ghauth ${shown}${meant === null ? "." : `: did you mean /ghauth ${meant}?`}`;
}
