import { GhauthError, messageOf } from "../errors.js";
import { readIfThere } from "./regular-file.js";
import { shellWord } from "./shell-word.js";

/**
 * The text of an env file, empty where there is no file. Throws `config_invalid` where it cannot be read, or where
 * anybody can write to it, for its settings name programs to run.
 */
export function readEnvText(path: string): string {
  try {
    const file = readIfThere(path);
    if (file === null) return "";
    if ((file.stats.mode & 0o002) === 0) return file.text;
  } catch (error) {
    const sentence = `${path} cannot be read: ${messageOf(error)}. Correct its owner and mode.`;
    throw new GhauthError("config_invalid", sentence, { cause: error });
  }
  throw new GhauthError(
    "config_invalid",
    `${path} can be written by anybody: see that its settings are yours, and run chmod 600 ${shellWord(path)}.`,
  );
}

/** The variables of an env file, none where there is no file. Throws as readEnvText does. */
export function readEnvFile(path: string): Map<string, string> {
  return parseEnvFile(readEnvText(path));
}

/** The variables in an env file's text. A later line wins. */
export function parseEnvFile(text: string): Map<string, string> {
  return new Map(
    text.split(/\r\n|\n|\r/).flatMap((line) => {
      const set = parseEnvLine(line);
      return set ? [[set.name, set.value] as const] : [];
    }),
  );
}

/**
 * What a line of an env file sets: `KEY=value` as systemd's `EnvironmentFile=` reads it, but that
 * a value ends with its line and a backslash outside of quotes stays. Because people edit such files, also with
 * `export`, a byte order mark in front, or a comment behind a quoted value. Null for any other line.
 */
export function parseEnvLine(line: string): { name: string; value: string } | null {
  const match = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/.exec(
    line.replace(/^\uFEFF/, ""),
  );
  const [, name, value] = match ?? [];
  return name === undefined || value === undefined ? null : { name, value: unquote(value) };
}

function unquote(value: string): string {
  // A comment may hold quotes as well.
  const match = /^(["'])((?:\\.|[^\\])*)\1\s+#/.exec(value) ?? /^(["'])(.*)\1$/.exec(value);
  const [, quote, content] = match ?? [];
  if (content === undefined) return value;
  return quote === '"' ? content.replaceAll(/\\(["\\$`])/g, "$1") : content;
}

/**
 * The text of an env file in which variables have other values, or none (null). Each line that says something else, or
 * that says so already, stays as somebody wrote it. Throws `config_invalid` for a value with a line break.
 */
export function editEnvFile(text: string, values: ReadonlyMap<string, string | null>): string {
  const current = parseEnvFile(text);
  const changes = new Map([...values].filter(([name, value]) => value !== (current.get(name) ?? null)));
  const kept = (text.match(/[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+$/g) ?? []).map((line) => {
    const name = parseEnvLine(line)?.name ?? "";
    const value = changes.get(name);
    if (value === undefined) return /[\r\n]$/.test(line) ? line : `${line}\n`;
    changes.set(name, null); // a second line for it goes
    return value === null ? "" : renderEnvLine(name, value);
  });
  const added = [...changes].map(([name, value]) => (value === null ? "" : renderEnvLine(name, value)));
  return [...kept, ...added].join("");
}

/** Quoted where that is needed, so that systemd too reads it as it was. */
function renderEnvLine(name: string, value: string): string {
  if (/[\r\n\0]/.test(value))
    throw new GhauthError("config_invalid", `${name} must be on one line: its value has a line break.`);
  const isPlain = /^(?!["'])[^\\]*$/.test(value) && value.trim() === value;
  return `${name}=${isPlain ? value : `"${value.replaceAll(/["\\$`]/g, String.raw`\$&`)}"`}\n`;
}
