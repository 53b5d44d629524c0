import type { Verb } from "../command-line/verb.js";
import { runSubcommand } from "./subcommand-verbs.js";

/** `ghauth help`: what /ghauth does in chat; `ghauth help VERB`: how a verb is used. Rejects with `usage`. */
export async function main(_options: object, path: string[], program: Verb): Promise<number> {
  if (path.length === 0) return runSubcommand("help", {});
  const { renderHelp } = await import("../command-line/parse-words.js");
  process.stdout.write(renderHelp({ name: "ghauth", program }, path));
  return 0;
}
