import { split } from "shlex";

/** A command as Takopi takes it from a message. */
export type ParsedCommand = { command: string; argsText: string; args: string[] };

/**
 * Parses `/command@bot arguments` as Takopi does: the command ends at the first white space and is lower-cased; the
 * arguments follow shell rules, or white space alone where their quotes do not balance. Null where text is no command.
 */
export function parseCommand(text: string): ParsedCommand | null {
  const match = /^\s*\/([^\s@]+)(?:@\S*)?\s*([\s\S]*)$/.exec(text);
  if (match?.[1] === undefined) return null;
  const argsText = plainPunctuation(match[2] ?? "").trim();
  return { command: match[1].toLowerCase(), argsText, args: splitArguments(argsText) };
}

function splitArguments(text: string): string[] {
  try {
    return split(text);
  } catch {
    return text.split(/\s+/).filter(Boolean);
  }
}

/** Phones turn quotes and dashes into typographic ones. */
function plainPunctuation(text: string): string {
  return text
    .replace(/[\u201C-\u201F]/g, '"')
    .replace(/[\u2018-\u201B]/g, "'")
    .replaceAll("\u2014", "--")
    .replaceAll("\u2013", "-");
}
