import { parse, TomlError } from "smol-toml";
import { GhauthError } from "../errors.js";

export type TomlTable = Readonly<Record<string, unknown>>;

/** A TOML document. Throws `config_invalid`, naming file, line and column, and quoting nothing: it may hold secrets. */
export function parseToml(text: string, path: string): TomlTable {
  try {
    // Discord's ids exceed 2^53.
    return parse(text, { integersAsBigInt: "asNeeded" });
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [complaint = ""] = error.message.split("\n"); // the lines after it quote the file
    throw new GhauthError(
      "config_invalid",
      `${path}, line ${error.line}, column ${error.column}: ${complaint.replace(/^Invalid TOML document: /, "")}.`,
    );
  }
}

/** Whether a TOML value is a table. */
export function isTable(value: unknown): value is TomlTable {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
}
