import { chmodSync, existsSync, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createSoundMachine, diagnose } from "../../support/doctor.js";
import { type Machine, pem } from "../../support/machine.js";

const planted = `ghp_${"Planted3".repeat(5)}`;
const address = `https://x-access-token:${planted}@github.com/acme/site.git`;

const git = async (machine: Machine, ...words: string[]) =>
  (await machine.run(["git", ...words])).stdout.trim();
const fix = async (machine: Machine, ...args: string[]) =>
  machine.ghauth(["doctor", "--fix", "--yes", ...args]);
/** Runs what was printed to take the changes back, the last one first. */
const undo = async (machine: Machine, stdout: string) => {
  const lines = [...stdout.matchAll(/^ {2}to undo: (.*)$/gm)].map(([, line = ""]) => line);
  for (const line of lines) await machine.run(["bash", "-c", line]);
  return lines;
};

describe.concurrent("doctor --fix --yes", () => {
  test("runs what is a command of chmod and git, looks again, and says how to undo it", async () => {
    await using machine = await createSoundMachine();
    chmodSync(machine.paths.tokenEnvFile, 0o644);
    await git(
      machine,
      "config",
      "--global",
      "--replace-all",
      "credential.https://github.com.helper",
      "store",
    );
    const before = await git(machine, "config", "--global", "--list");

    const { exitCode, stdout } = await fix(machine);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^- token: error \(.*\)\n {4}chmod 600 /m);
    const [, second = ""] = stdout.split(/\n\n(?=ghauth doctor: )/);
    expect(second).toMatch(/^- token: ok \(/m);
    expect(second).toMatch(/^- git helper: ok \(/m);
    expect(statSync(machine.paths.tokenEnvFile).mode & 0o777).toBe(0o600);

    await undo(machine, stdout);
    expect(statSync(machine.paths.tokenEnvFile).mode & 0o777).toBe(0o644);
    expect(await git(machine, "config", "--global", "--list")).toBe(before);
  });

  test("a value with a secret in it is kept in a file of mode 0600, and comes back from there", async () => {
    await using machine = await createSoundMachine();
    const clone = join(machine.home, "clone");
    mkdirSync(clone);
    await git(machine, "init", "--quiet", clone);
    await git(machine, "-C", clone, "remote", "add", "origin", address);
    await git(machine, "config", "--global", "http.extraheader", `Authorization: bearer ${planted}`);

    const { stdout } = await fix(machine, "--repo", clone);

    expect(await git(machine, "-C", clone, "remote", "get-url", "origin")).toBe(
      "https://github.com/acme/site.git",
    );
    expect(await git(machine, "config", "--global", "http.extraheader")).toBe("");
    const kept = join(machine.home, ".local/state/takopi/kept");
    expect(readdirSync(kept)).toHaveLength(2);
    for (const name of readdirSync(kept)) {
      expect(statSync(join(kept, name)).mode & 0o777).toBe(0o600);
      expect(stdout).toContain(join(kept, name));
    }
    expect(stdout).not.toContain("Planted3");

    await undo(machine, stdout);
    expect(machine.read(join(clone, ".git/config"))).toContain(address);
    expect(machine.read(join(machine.home, ".gitconfig"))).toContain(`Authorization: bearer ${planted}`);
  });

  test("leaves a key and a login file to the operator, and prints the commands", async () => {
    await using machine = await createSoundMachine();
    const copy = join(machine.home, "Downloads/example.2026-11-01.private-key.pem");
    machine.write(copy, pem);
    machine.write(join(machine.home, ".profile"), `export GH_TOKEN=${planted}\n`);

    const { exitCode, stdout } = await fix(machine);

    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\n {4}shred -u .*private-key\.pem'?\n {2}This is left to you\.\n/);
    expect(stdout).toMatch(/\n {4}sed .*\.profile'?\n {2}This is left to you\.\n/);
    expect(existsSync(copy)).toBe(true);
    expect(machine.read(join(machine.home, ".profile"))).toContain(planted);
  });
});

test("without --yes it asks in a terminal, and nothing happens without a yes", async () => {
  await using machine = await createSoundMachine();
  const { paths } = machine;
  chmodSync(paths.privateKey, 0o644);
  const program = `'${process.execPath}' '${join(import.meta.dirname, "../../../dist/main.js")}' doctor --fix`;
  const ask = async (answer: string) => {
    const terminal = machine.start(["script", "--quiet", "--return", "--command", program, "/dev/null"]);
    await terminal.waitFor(/Run it\? \[y\/N\] /);
    terminal.write(`${answer}\n`);
    const { stdout } = await terminal.ended;
    return stdout;
  };
  expect(await ask("")).toMatch(/Left as it is\./);
  expect(statSync(paths.privateKey).mode & 0o777).toBe(0o644);
  expect(await ask("y")).toMatch(/to undo: chmod 0644 .*\s+Done\./);
  expect(statSync(paths.privateKey).mode & 0o777).toBe(0o600);
});

test.each([
  [["--yes"], "--yes is for --fix"],
  [["--json", "--fix", "--yes"], "one of them at a time"],
  [["--fix"], "without a terminal, --fix needs --yes"],
])("%j is wrong usage", async (args, complaint) => {
  await using machine = await createSoundMachine();
  const { exitCode, stderr } = await machine.ghauth(["doctor", ...args]);
  expect(exitCode).toBe(64);
  expect(stderr).toContain(complaint);
});

test("a command that fails is told, and the rest goes on", async () => {
  await using machine = await createSoundMachine();
  chmodSync(machine.paths.privateKey, 0o644);
  rmSync(machine.paths.tokenEnvFile);
  machine.write(join(machine.home, "bin/chmod"), "#!/bin/sh\necho no such luck >&2\nexit 3\n", 0o755);
  const { exitCode, stdout } = await machine.ghauth(["doctor", "--fix", "--yes"], {
    env: { PATH: `${join(machine.home, "bin")}:${machine.env["PATH"]}` },
  });
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^ {2}chmod 600 .* failed: no such luck$/m);
  expect((await diagnose(machine))("key").level).toBe("error");
});
