import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createMachine } from "../support/machine.js";
import { needsPython, python } from "../support/takopi-stub.js";

const checkout = join(import.meta.dirname, "../..");

/** A copy that was built elsewhere, to be installed as it is; and, if asked, a uv that records what it is told. */
async function createHost({ uv }: { uv: boolean }) {
  const machine = await createMachine();
  const copy = join(machine.root, "copy");
  for (const part of ["dist", "scripts", "systemd", "bridge", "package.json"])
    cpSync(join(checkout, part), join(copy, part), { recursive: true });
  const bin = join(machine.root, "bin");
  const told = join(machine.root, "told to uv");
  const tools = join(machine.root, "uv tools");
  mkdirSync(bin);
  if (uv) {
    machine.write(
      join(bin, "uv"),
      `#!/bin/sh
if [ "$*" = "tool dir" ]; then echo '${tools}'; exit; fi
printf '%s\\n' "$@" >'${told}'
for word; do case $word in *.txt) cat "$word" >>'${machine.root}/read by uv' ;; esac; done
[ ! -e '${machine.root}/uv fails' ] || { echo "error: no such package" >&2; exit 2; }\n`,
      0o755,
    );
  }
  // No manager of the machine's own is to be told, nor a uv of its own to be found.
  const env = {
    XDG_RUNTIME_DIR: join(machine.root, "none"),
    PATH: `${bin}:/usr/bin:/bin`,
    GHAUTH_NODE: process.execPath,
  };
  return {
    machine,
    told: () => (existsSync(told) ? machine.read(told).trim().split("\n") : null),
    failUv: () => machine.write(join(machine.root, "uv fails"), ""),
    readByUv: () => machine.read(join(machine.root, "read by uv")),
    installTakopi: (requirements: string, more = "") => {
      const receipt = `[tool]\nrequirements = [${requirements}]\n${more}\n`;
      machine.write(join(tools, "takopi/uv-receipt.toml"), receipt);
      mkdirSync(join(tools, "takopi/bin"));
      symlinkSync(python, join(tools, "takopi/bin/python"));
    },
    install: async (args: string[] = [], more: Record<string, string> = {}) =>
      machine.run([join(copy, "scripts/install_local.sh"), ...args], { env: { ...env, ...more } }),
    [Symbol.asyncDispose]: machine[Symbol.asyncDispose],
  };
}

describe.concurrent("install_local.sh and Takopi", () => {
  test("the shim joins what Takopi was installed with, from where it stays", async (context) => {
    needsPython(context);
    await using host = await createHost({ uv: true });
    const { machine } = host;
    host.installTakopi('{ name = "takopi" }, { name = "numpy", specifier = "<3" }');
    machine.write(machine.paths.takopiConfig, 'transport = "discord"\n');
    const bridge = join(machine.home, ".local/lib/takopi-ghauth/current/bridge");

    const dry = await host.install(["--dry-run"]);
    expect(dry).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("--with numpy\\<3") });
    expect(host.told()).toBe(null);

    const { exitCode, stdout } = await host.install([], { TAKOPI_INSTALL_WITH: "some-package  ./another" });
    expect(exitCode).toBe(0);
    const words =
      "tool install --reinstall-package takopi-ghauth takopi --with numpy<3 --with some-package --with ./another --with takopi-discord --with";
    expect(host.told()).toEqual([
      ...words.split(" "),
      `takopi-ghauth @ file://${bridge.replaceAll(" ", "%20")}`,
    ]);
    expect(stdout).toContain("Check it: takopi plugins --load.");
    expect(stdout).toContain("Then restart Takopi.\n");
    expect(stdout).toContain("uv tool install -U takopi would drop /ghauth without a word.");
    // By this doctor tells when uv has replaced that environment by one without the shim.
    const note = machine.read(join(machine.home, ".local/lib/takopi-ghauth/takopi-tool"));
    expect(note).toBe(`${join(machine.root, "uv tools/takopi")}\n`);
    expect(existsSync(join(bridge, "pyproject.toml"))).toBe(true);
    expect(existsSync(join(bridge, "src/takopi_ghauth/backend.py"))).toBe(true);
  });

  test("without uv, and without Takopi, the rest is installed, and what was skipped is said", async (context) => {
    needsPython(context);
    for (const [uv, sentence] of [
      [false, "uv was not found. Install uv and Takopi"],
      [true, "uv has not installed Takopi. Run uv tool install takopi"],
    ] as const) {
      await using host = await createHost({ uv });
      const { exitCode, stdout } = await host.install();
      expect(exitCode).toBe(0);
      expect(stdout).toContain(`Skipped: /ghauth inside Takopi, because ${sentence}`);
      expect(host.told()).toBe(null);
      expect(existsSync(join(host.machine.home, ".local/bin/ghauth"))).toBe(true);
    }
  });

  test("constraints are read from a file by uv, which is gone afterwards", async (context) => {
    needsPython(context);
    await using host = await createHost({ uv: true });
    host.installTakopi('{ name = "takopi" }', 'constraints = [{ name = "anyio", specifier = ">=4" }]');
    const temporary = join(host.machine.root, "temporary");
    mkdirSync(temporary);
    expect((await host.install([], { TMPDIR: temporary })).exitCode).toBe(0);
    expect(host.told()).toContain("--constraints");
    expect(host.readByUv()).toBe("anyio>=4\n");
    expect(readdirSync(temporary)).toEqual([]);
  });

  test("what uv would lose is named: uv is told nothing, all else is installed, and it ends with 75", async (context) => {
    needsPython(context);
    await using host = await createHost({ uv: true });
    host.installTakopi('{ name = "takopi" }', 'future = ["x"]');
    const { exitCode, stderr } = await host.install();
    expect(exitCode).toBe(75);
    expect(stderr).toContain(
      "warning: Takopi's /ghauth was not installed, all else was: uv's receipt holds future, which no option of uv tool install can say.",
    );
    expect(host.told()).toBe(null);
    expect(existsSync(join(host.machine.home, ".local/bin/ghauth"))).toBe(true);
  });

  test("a uv that fails leaves the rest installed, is said, and ends with 75", async (context) => {
    needsPython(context);
    await using host = await createHost({ uv: true });
    host.installTakopi('{ name = "takopi" }');
    host.failUv();
    const { exitCode, stderr } = await host.install();
    expect(exitCode).toBe(75);
    expect(stderr).toContain("error: no such package\n");
    expect(stderr).toContain(
      "warning: Takopi's /ghauth was not installed, all else was: uv failed, as it says above.",
    );
    expect(stderr).not.toContain("not completed");
    expect(existsSync(join(host.machine.home, ".local/bin/ghauth"))).toBe(true);
  });

  test("the shim has the program's version, and waits longer than the program does", () => {
    const read = (path: string) => readFileSync(join(checkout, path), "utf8");
    const { version } = JSON.parse(read("package.json"));
    expect(read("bridge/pyproject.toml")).toContain(`\nversion = "${version}"\n`);
    const waits = /headroom_seconds: float = (\d+)/.exec(read("bridge/src/takopi_ghauth/backend.py"))?.[1];
    const programWaits = /headroomMs = (\d)_000/.exec(read("src/cli/command-verb.ts"))?.[1];
    expect(Number(waits)).toBeGreaterThan(Number(programWaits));
  });
});
