import type { Verb } from "../../src/command-line/verb.js";

/** A program and all its verbs, each with the words that lead to it. */
export function everyVerb(verb: Verb, path: string[] = []): { path: string[]; verb: Verb }[] {
  const below = Object.entries(verb.verbs ?? {});
  return [{ path, verb }, ...below.flatMap(([name, child]) => everyVerb(child, [...path, name]))];
}
