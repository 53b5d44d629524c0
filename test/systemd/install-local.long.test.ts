import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

const checkout = join(import.meta.dirname, "../..");

test("install_local.sh builds and installs, upgrades in place, and what it installed needs no checkout", async () => {
  await using machine = await createMachine();
  const copy = join(machine.root, "a checkout");
  mkdirSync(copy);
  cpSync(checkout, copy, {
    recursive: true,
    filter: (path) => !["node_modules", "dist", ".git"].includes(basename(path)),
  });
  symlinkSync(join(checkout, "node_modules"), join(copy, "node_modules"));
  // No manager of the machine's own is to be told.
  const env = {
    XDG_RUNTIME_DIR: join(machine.root, "none"),
    PATH: `${machine.home}/.local/bin:${machine.env["PATH"]}`,
  };
  const install = async (...args: string[]) =>
    machine.run([join(copy, "scripts/install_local.sh"), ...args], { env });
  const installed = join(machine.home, ".local/lib/takopi-ghauth");

  expect((await install("--dry-run")).stdout).toMatch(/^would build .*a checkout\/dist/);
  expect(readdirSync(machine.home)).not.toContain(".local");
  const first = await install();
  expect(first).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining("user manager cannot be reached now"),
  });
  const unit = readFileSync(join(machine.home, ".config/systemd/user/takopi-ghauth.service"), "utf8");
  expect(unit).toContain(`ExecStart=:/usr/bin/env "${machine.home}/.local/bin/ghauth" run`);
  const release = readlinkSync(join(installed, "current"));

  expect((await install()).stdout).toContain("Nothing to change: this version is installed already.");
  expect(readlinkSync(join(installed, "current"))).toBe(release);

  for (const version of ["1.0.1", "1.0.2"]) {
    const manifest = JSON.parse(readFileSync(join(copy, "package.json"), "utf8"));
    writeFileSync(join(copy, "package.json"), JSON.stringify({ ...manifest, version }));
    expect((await install()).exitCode).toBe(0);
  }
  const newest = readlinkSync(join(installed, "current"));
  expect(newest).not.toBe(release);
  // The one before may still be running.
  expect(readdirSync(join(installed, "releases"))).toHaveLength(2);
  expect(readdirSync(join(installed, "releases"))).toContain(basename(newest));

  rmSync(copy, { recursive: true });
  const refreshed = await machine.run(["ghauth", "refresh"], { env });
  expect(refreshed).toMatchObject({ exitCode: 0, stderr: "" });
  expect((await machine.run([machine.paths.refreshScript])).exitCode).toBe(0);
  expect(machine.github.mints).toBe(2);
  const demo = await machine.run(["ghauth", "demo"], { env });
  expect(demo).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Refresh succeeded.") });
});
