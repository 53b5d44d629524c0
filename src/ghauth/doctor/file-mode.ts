import { statSync } from "node:fs";
import { shellWord } from "../../files/shell-word.js";
import { type Finding, error } from "./finding.js";

/** A file's or a directory's permission bits, or null where none can be seen. */
export function modeOf(path: string): number | null {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats ? stats.mode & 0o777 : null;
  } catch {
    return null;
  }
}

/** An error where a file has any of the bits in `mask`, mended by giving it the mode that it should have. */
export function openToOthers(
  path: string,
  { mask, mode, what }: { mask: number; mode: string; what: string },
): Finding[] {
  const found = modeOf(path);
  if (found === null || (found & mask) === 0) return [];
  const verb =
    (found & mask & 0o022) === 0 ? "read" : (found & mask & 0o044) === 0 ? "changed" : "read or changed";
  return [
    error(`${what} can be ${verb} by others: mode ${octal(found)}`, [
      { words: ["chmod", mode, path], undo: () => [`chmod ${octal(found)} ${shellWord(path)}`] },
    ]),
  ];
}

function octal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
