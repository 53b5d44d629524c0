import { redact } from "./redact.js";

const usuallyAtMost = 200;

/** The last line of what a program said, for a sentence: without secrets, which are looked for before it is cut. */
export function lastLineOf(text: string, atMost = usuallyAtMost): string {
  return linesOf(text, atMost).at(-1) ?? "";
}

/** The first line of it, where the error comes before advice. */
export function firstLineOf(text: string): string {
  return linesOf(text, usuallyAtMost)[0] ?? "";
}

function linesOf(text: string, atMost: number): string[] {
  return redact(text)
    .split("\n")
    .map((line) => line.trim().slice(0, atMost))
    .filter((line) => line !== "");
}
