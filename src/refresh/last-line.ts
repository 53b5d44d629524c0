import { redact } from "../token/secret.js";

const longest = 200;

/** The last line of what a program said, for a sentence: without secrets, which are looked for before it is cut. */
export function lastLineOf(text: string): string {
  return redact(text).trim().split("\n").at(-1)?.trim().slice(0, longest) ?? "";
}
