import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { createMachine, executables, type Machine, type RunOptions } from "./machine.js";

export type Diagnosis = { label: string; level: string; detail: string; remedy: string | null };

/** A machine whose token is fresh, and whose git asks for it: doctor finds no error there. */
export async function createSoundMachine(): Promise<Machine> {
  const machine = await createMachine();
  const bin = join(machine.home, ".local/bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(executables.refresh, machine.paths.refreshScript);
  symlinkSync(join(executables.refresh, "../git-credential-ghauth"), join(bin, "git-credential-ghauth"));
  machine.env["PATH"] = `${bin}:${machine.env["PATH"]}`;
  machine.env["TMPDIR"] = join(machine.root, "tmp");
  mkdirSync(machine.env["TMPDIR"]);
  const git = ["git", "config", "--global"] as const;
  await machine.run([...git, "credential.https://github.com.helper", ""]);
  await machine.run([...git, "--add", "credential.https://github.com.helper", "ghauth"]);
  await machine.refresh();
  return machine;
}

/** What doctor says, by label. */
export async function diagnose(machine: Machine, args: string[] = [], options: RunOptions = {}) {
  const { stdout, stderr, exitCode } = await machine.ghauth(["doctor", "--json", ...args], options);
  expect(stderr).toBe("");
  const { checks }: { checks: Diagnosis[] } = JSON.parse(stdout);
  expect(exitCode).toBe(checks.some(({ level }) => level === "error") ? 1 : 0);
  for (const { level, remedy } of checks) expect(remedy === null).toBe(level === "ok");
  return (label: string): Diagnosis => {
    const found = checks.find((each) => each.label === label);
    if (!found) throw new Error(`doctor has no line for ${label}`);
    return found;
  };
}

/** Runs a remedy as it was printed: all its lines, or what stands in backticks. */
export async function apply(
  machine: Machine,
  remedy: string | null,
  options: RunOptions = {},
): Promise<void> {
  const commands = [...(remedy ?? "").matchAll(/`([^`]+)`/g)].map(([, command = ""]) => command);
  const lines = commands.length > 0 ? commands : (remedy ?? "").split("\n");
  for (const line of lines) {
    const { exitCode, stderr } = await machine.run(["bash", "-c", line], options);
    expect({ line, exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({
      line,
      exitCode: 0,
      stderr: "",
    });
  }
}

export type Ailment = {
  label: string;
  ail: (machine: Machine) => void | Promise<void>;
  level: "warning" | "error";
  detail: RegExp;
  args?: (machine: Machine) => string[];
  env?: (machine: Machine) => Record<string, string>;
};

/** What doctor says after its remedy was run as it was printed, on a sound machine on which it found what ails it. */
export async function mend({ label, ail, level, detail, args, env }: Ailment): Promise<Diagnosis> {
  await using machine = await createSoundMachine();
  await ail(machine);
  const words = args?.(machine) ?? [];
  const options = { env: env?.(machine) ?? {} };
  const found = (await diagnose(machine, words, options))(label);
  expect(found).toMatchObject({ label, level, detail: expect.stringMatching(detail) });
  await apply(machine, found.remedy, options);
  return (await diagnose(machine, words, options))(label);
}
