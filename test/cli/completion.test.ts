import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ghauth } from "../../src/cli/verbs.js";
import { everyVerb } from "../support/every-verb.js";
import { startProgram } from "../support/live-program.js";
import { createMachine, type Machine } from "../support/machine.js";
import { needs } from "../support/needs.js";

const shells = ["bash", "zsh", "fish"] as const;

/** The script that a shell gets, as a file. */
async function writeScript(machine: Machine, shell: string): Promise<string> {
  const { exitCode, stdout, stderr } = await machine.ghauth(["completion", shell]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const path = join(machine.root, `ghauth.${shell}`);
  machine.write(path, stdout);
  return path;
}

/** What bash offers for the last of some words. */
async function completeInBash(machine: Machine, script: string, words: string[]): Promise<string[]> {
  const ask = `source "$0"
compopt() { :; } # is for a completion under way
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_ghauth
printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await machine.run(["bash", "--norc", "-c", ask, script, ...words]);
  expect(stderr).toBe("");
  return stdout.split("\n").filter(Boolean);
}

describe.concurrent("ghauth completion", () => {
  test("bash offers the verbs and options of every verb, and they are the table's", async (context) => {
    needs(context, "bash");
    await using machine = await createMachine();
    const script = await writeScript(machine, "bash");
    for (const { path, verb } of everyVerb(ghauth)) {
      const offered = await completeInBash(machine, script, ["ghauth", ...path, ""]);
      const options = Object.keys(verb.options ?? {}).map((flags) => flags.split(" ")[0]);
      expect({ path, offered }).toEqual({
        path,
        offered: expect.arrayContaining([...Object.keys(verb.verbs ?? {}), ...options, "--help"]),
      });
    }
  });

  test.each([
    [["st"], ["status"]],
    [["help", "br"], ["broker"]],
    [["help", "broker", "cl"], ["client"]],
    [["broker", "--config", "x", "client", "ro"], ["rotate"]],
    [["broker", "--listen", ""], []],
    [
      ["sidecar", "--secrets-dir", "/etc/host"],
      ["/etc/host.conf", "/etc/hostname", "/etc/hosts"],
    ],
    [
      ["completion", ""],
      ["--help", "bash", "fish", "zsh"],
    ],
    [["exec", "--", "base6"], ["base64"]],
  ])("bash: for ghauth %j it offers %j", async (words, expected) => {
    await using machine = await createMachine();
    const offered = await completeInBash(machine, await writeScript(machine, "bash"), ["ghauth", ...words]);
    expect([...new Set(offered)].sort()).toEqual(expected);
  });

  test.for([
    ["bash", "bash --norc --noprofile -i", ""],
    ["zsh", "zsh -f -i", "autoload -Uz compinit; compinit -u -D; "],
  ] as const)("%s completes at a terminal, by Tab", async ([shell, command, before], context) => {
    needs(context, "script", shell);
    await using machine = await createMachine();
    const path = await writeScript(machine, shell);
    await using terminal = startProgram(["script", "--quiet", "--command", command, "/dev/null"], {
      env: { ...machine.env, TERM: "xterm", PS1: "$ " },
      cwd: machine.home,
    });
    terminal.type(`${before}eval "$(cat ${path})"; ghauth() { echo "[$*]"; }; echo read"y"\n`);
    await terminal.saw("ready");
    for (const [typed, meant] of [
      ["ghauth stat\t\n", "[status]"],
      ["ghauth bro\tcli\tro\t\n", "[broker client rotate]"],
      ["ghauth status --js\t\n", "[status --json]"],
      ["ghauth exec -- base6\t\n", "[exec -- base64]"],
      ["ghauth sidecar --secrets-dir /etc/hostn\t\n", "[sidecar --secrets-dir /etc/hostname]"],
    ] as const) {
      terminal.type(typed);
      await expect(terminal.saw(meant)).resolves.toBeUndefined();
    }
  });

  test.for(shells)("what %s reads has no fault in its syntax", async (shell, context) => {
    needs(context, shell);
    await using machine = await createMachine();
    const script = await writeScript(machine, shell);
    expect(await machine.run([shell, "-n", script])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test("fish offers verbs, options, files and another program's words", async (context) => {
    needs(context, "fish");
    await using machine = await createMachine();
    const script = await writeScript(machine, "fish");
    for (const [line, expected] of [
      ["ghauth st", "status\tthe token's state"],
      ["ghauth help broker cl", "client\t"],
      ["ghauth broker client r", "rotate\t"],
      ["ghauth status --js", "--json\t"],
      ["ghauth sidecar --secrets-dir /etc/hostn", "/etc/hostname"],
      ["ghauth exec -- base6", "base64"],
    ] as const) {
      const ask = 'source $argv[1]; complete -C "$argv[2]"';
      const { stdout, stderr } = await machine.run(["fish", "--no-config", "-c", ask, script, line]);
      expect({ line, stderr, stdout }).toEqual({
        line,
        stderr: "",
        stdout: expect.stringContaining(expected),
      });
    }
  });
});
