import { type Command } from "./finding.js";

/** Deletes the lines of a file that an extended regular expression matches, and leaves the old file beside it. */
export function deleteLines(path: string, pattern: string): Command {
  return {
    words: [
      "sed",
      "--follow-symlinks",
      "-i.before-doctor",
      "-E",
      `/${pattern.replaceAll("/", String.raw`\/`)}/d`,
      path,
    ],
  };
}

/** Text that stands for itself in an extended regular expression. */
export function literal(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
