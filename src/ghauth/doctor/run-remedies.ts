import { join } from "node:path";
import { writeFileAtomically } from "../../files/atomic-file.js";
import { childEnvironment } from "../../system/child-environment.js";
import { runCommand } from "../../system/run-command.js";
import { lastLineOf } from "../../token/line-of-output.js";
import { messageOf } from "../../errors.js";
import type { Examined } from "./examine.js";
import { type Command, commandLine, type Keep, renderRemedy } from "./finding.js";
import type { Host } from "./check.js";

export type FixDeps = {
  /** Whether a remedy is to be applied; the commands have been shown. */
  ask: (question: string) => Promise<boolean>;
  say: (line: string) => void;
  /** Text without secrets. */
  clean: (text: string) => string;
};

/** What doctor runs by itself: of these it knows how each can be taken back. */
const runnable = new Set(["git", "gh", "systemctl", "chmod"]);
const timeoutMs = 120_000;

/**
 * Runs the remedies that are commands of git, gh, systemctl or chmod, as far as `ask` agrees, and shows the others. Says
 * how each change is taken back; a value with a secret in it is kept in a file for that.
 */
export async function fix(examined: readonly Examined[], host: Host, deps: FixDeps): Promise<void> {
  const done = new Set<string>();
  for (const { label, findings } of examined)
    for (const { detail, remedy } of findings) {
      const text = remedy === null ? "" : deps.clean(renderRemedy(remedy));
      if (remedy === null || done.has(text)) continue;
      done.add(text);
      deps.say(`\n${label}: ${deps.clean(detail)}`);
      for (const line of text.split("\n")) deps.say(`    ${line}`);
      if (typeof remedy === "string" || !remedy.every(({ words: [program] }) => runnable.has(program)))
        deps.say("  This is left to you.");
      else if (await deps.ask("  Run it?")) await apply(remedy, host, deps);
      else deps.say("  Left as it is.");
    }
}

async function apply(commands: readonly Command[], host: Host, { say, clean }: FixDeps): Promise<void> {
  const keep = createKeep(join(host.paths.refreshLog, "../kept"), host.clock.now());
  for (const command of commands) {
    // Before anything changes, so that whatever comes next it can be taken back.
    for (const line of command.undo?.(keep) ?? []) say(`  to undo: ${clean(line)}`);
    const complaint = await run(command, host);
    if (complaint === null) continue;
    say(`  ${clean(`${commandLine(command)} failed: ${complaint}`)}`);
    return;
  }
  say("  Done.");
}

async function run({ words }: Command, { env }: Host): Promise<string | null> {
  try {
    const { exitCode, timedOut, stderr } = await runCommand(words, {
      env: { ...childEnvironment(env), GIT_TERMINAL_PROMPT: "0" },
      timeoutMs,
    });
    if (timedOut) return `it took over ${timeoutMs / 1000} s`;
    return exitCode === 0 ? null : lastLineOf(stderr) || `it ended with ${exitCode}`;
  } catch (thrown) {
    return messageOf(thrown);
  }
}

/** Files of mode 0600, each with one value, named for when it was taken away. */
function createKeep(directory: string, now: Date): Keep {
  const stamp = now.toISOString().replaceAll(/[:.]/g, "-");
  let count = 0;
  return (value) => {
    const path = join(directory, `${stamp}-${process.pid}-${++count}`);
    writeFileAtomically(path, value);
    return path;
  };
}
