import { endOfSecret, isArbitrary, type Range } from "./pattern-finder.js";
import type { SeenText } from "./seen-text.js";

const head = "eyJ"; // {" in base64
const shortestHeader = 11;

/**
 * Finds JWTs, from the first part that is JSON in base64 on. Runs of dotted parts are taken whole: from each `eyJ` anew
 * would take quadratic time.
 */
export function* findJwts(seen: SeenText): Generator<Range> {
  for (const { 0: run, index } of seen.text.matchAll(
    /(?<![A-Za-z0-9_-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)+/g,
  )) {
    const parts = run.split(".");
    let at = index;
    for (const [number, part] of parts.entries()) {
      const headAt = part.indexOf(head);
      if (headAt >= 0 && part.length - headAt >= shortestHeader && goesOn(parts[number + 1])) {
        yield [at + headAt, endOfSecret(seen, at + headAt, index + run.length)];
        break;
      }
      at += part.length + 1;
    }
  }
}

/** Whether what follows a header's dot is more than the next word of a sentence, or a file's name. */
function goesOn(part = ""): boolean {
  return part.startsWith(head) || (part.length >= 8 && isArbitrary(part));
}
