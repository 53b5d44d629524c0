import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { readRegularFile } from "./regular-file.js";
import { shellWord } from "./shell-word.js";

/**
 * The variables of an env file, none where there is no file. Rejects with `config_invalid` where it cannot be read, or
 * where anybody can write to it, for its settings name programs to run.
 */
export function readEnvFile(path: string): Map<string, string> {
  try {
    const { text, stats } = readRegularFile(path);
    if ((stats.mode & 0o002) === 0) return parseEnvFile(text);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return new Map();
    const sentence = `${path} cannot be read: ${messageOf(error)}. Correct its owner and mode.`;
    throw new GhauthError("config_invalid", sentence, { cause: error });
  }
  throw new GhauthError(
    "config_invalid",
    `${path} can be written by anybody: see that its settings are yours, and run chmod 600 ${shellWord(path)}.`,
  );
}

/**
 * The variables of an env file: `KEY=value` lines as systemd's `EnvironmentFile=` reads them (a comment is a whole
 * line), and, because people edit such files, also `export `, quotes, CRLF and a byte order mark. A later line wins.
 */
export function parseEnvFile(text: string): Map<string, string> {
  const variables = new Map<string, string>();
  for (const line of text.replace(/^\uFEFF/, "").split(/\r\n|\n|\r/)) {
    const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(line);
    if (match?.[1] !== undefined) variables.set(match[1], unquote(match[2] ?? ""));
  }
  return variables;
}

function unquote(value: string): string {
  // A comment may hold quotes as well.
  const match = /^(["'])((?:\\.|[^\\])*)\1\s+#/.exec(value) ?? /^(["'])(.*)\1$/.exec(value);
  const [, quote, content] = match ?? [];
  if (content === undefined) return value;
  return quote === '"' ? content.replaceAll(/\\(["\\$`])/g, "$1") : content;
}
