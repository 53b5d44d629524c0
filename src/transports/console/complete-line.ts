import type { TransportService } from "../../takopi/transport.js";

const farewells = ["exit", "quit"];

/** Whether a line ends the conversation. */
export function isFarewell(line: string): boolean {
  return farewells.includes(line.trim().toLowerCase().replace(/^\//, ""));
}

/** What a line may go on with, and the part of it that this replaces: as `readline` has it from its completer. */
export function completeLine(line: string, commands: TransportService["commands"]): [string[], string] {
  const [, id = null, word = ""] = /^\/(\S+)\s+(\S*)$/.exec(line) ?? [];
  const words =
    id === null
      ? [...commands.map((command) => `/${command.id} `), ...farewells]
      : (commands.find((command) => command.id === id)?.subcommands ?? []).map(({ name }) => name);
  const begun = id === null ? line : word;
  return [words.filter((each) => each.startsWith(begun)), begun];
}
