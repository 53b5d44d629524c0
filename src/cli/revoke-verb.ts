import { createInterface } from "node:readline/promises";
import { GhauthError } from "../errors.js";
import { runSubcommand } from "./subcommand-verbs.js";

/** `ghauth revoke`: asks first, unless `--yes`. Resolves with the script's exit code, with 1 where it was not to be. */
export async function main({ yes, ...options }: { config?: string; yes?: true }): Promise<number> {
  if (yes !== true && !(await isConfirmed())) {
    process.stderr.write("Nothing was revoked.\n");
    return 1;
  }
  return runSubcommand("revoke", options, ["--yes"]);
}

const question =
  "Revoke the GitHub token that this host holds? It ends at once for whoever has it; then another is published. [y/N] ";

async function isConfirmed(): Promise<boolean> {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY)
    throw new GhauthError("usage", "it asks before it revokes, at a terminal; without one, say --yes.");
  const lines = createInterface({ input, output });
  const ended = new Promise<string>((resolve) => {
    for (const event of ["close", "SIGINT"] as const) lines.once(event, () => resolve(""));
  });
  try {
    return /^y(?:es)?$/i.test((await Promise.race([lines.question(question), ended])).trim());
  } finally {
    lines.close();
  }
}
