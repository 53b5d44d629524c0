import { readdirSync } from "node:fs";
import { join } from "node:path";
import { readRegularFile } from "../../files/regular-file.js";

/** A file's text, or null where there is none that this user may read, or one too long to be what is looked for. */
export function textOf(path: string): string | null {
  try {
    return readRegularFile(path).text;
  } catch {
    return null;
  }
}

const mostEntries = 2_000;

/** The paths of what is in a directory, none where it cannot be read. */
export function listDirectory(directory: string): string[] {
  try {
    return readdirSync(directory)
      .slice(0, mostEntries)
      .sort()
      .map((name) => join(directory, name));
  } catch {
    return [];
  }
}
