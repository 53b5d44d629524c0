import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { startProgram } from "../support/live-program.js";
import { createMachine, executables, type Machine } from "../support/machine.js";
import { isInstalled, isSkipped } from "../support/programs.js";

const keys = { ctrlC: "\u0003", ctrlD: "\u0004", tab: "\t" } as const;

/** The demo on a terminal of its own; `before` is run ahead of its refresh script's program. */
async function startDemo(machine: Machine, env: Record<string, string> = {}) {
  const words = [process.execPath, executables.ghauth, "demo"].map((word) => `'${word}'`).join(" ");
  const demo = startProgram(["script", "--quiet", "--return", "--command", words, "/dev/null"], {
    env: { ...machine.env, TMPDIR: machine.root, TERM: "xterm", ...env },
    cwd: machine.home,
  });
  await demo.saw("try /ghauth help");
  await demo.saw("> ");
  return demo;
}

/** A PATH on which the refresh script, taking its lock, hangs. */
function hangRefreshes(machine: Machine): Record<string, string> {
  const directory = join(machine.root, "bin");
  machine.write(join(directory, "flock"), "#!/bin/sh\nexec sleep 60\n", 0o755);
  return { PATH: `${directory}:${machine.env["PATH"]}` };
}

describe.skipIf(isSkipped(!isInstalled("script")))("the demo at a terminal", () => {
  test.each([
    ["exit", "exit\n"],
    ["quit", "quit\n"],
    ["Ctrl-D", keys.ctrlD],
    ["Ctrl-C", keys.ctrlC],
  ])("%s ends it, and leaves nothing behind", async (_how, typed) => {
    await using machine = await createMachine();
    await using demo = await startDemo(machine);
    demo.type("/ghauth status\n");
    await demo.saw("GitHub token: missing");
    await demo.saw("> ");
    demo.type(typed);
    expect(await demo.exitCode()).toBe(0);
    expect(readdirSync(machine.root)).toEqual(["home of tests"]);
  });

  test("Ctrl-C ends it while a refresh runs, too", async () => {
    await using machine = await createMachine();
    await using demo = await startDemo(machine, hangRefreshes(machine));
    demo.type("/ghauth refresh\n");
    await demo.saw("Refreshing the GitHub token…");
    demo.type(keys.ctrlC);
    expect(await demo.exitCode()).toBe(0);
    expect(readdirSync(machine.root).sort()).toEqual(["bin", "home of tests"]);
  });

  test("Tab completes the command, then the subcommand", async () => {
    await using machine = await createMachine();
    await using demo = await startDemo(machine);
    // A Tab among other keys at once is pasted text.
    for (const [typed, shown] of [
      ["/gh", "/gh"],
      [keys.tab, "auth "],
      ["sta", "sta"],
      [keys.tab, "tus"],
      ["\n", "GitHub token: missing"],
      ["", "> "],
      ["qu", "qu"],
      [keys.tab, "it"],
    ] as const) {
      demo.type(typed);
      await demo.saw(shown);
    }
    demo.type("\n");
    expect(await demo.exitCode()).toBe(0);
  });

  test("a word that there is not is told, with what was probably meant, before the help", async () => {
    await using machine = await createMachine();
    await using demo = await startDemo(machine);
    demo.type("/ghauth statsu\n");
    await demo.saw("There is no /ghauth statsu: did you mean /ghauth status?");
    await demo.saw("/ghauth refresh: ");
    demo.type("stauts\n");
    await demo.saw("Did you mean /ghauth status?");
    demo.type("/gauth\n");
    await demo.saw("There is no /gauth here: /ghauth. Did you mean /ghauth?");
    expect(demo.output()).not.toContain("GitHub token");
  });
});
