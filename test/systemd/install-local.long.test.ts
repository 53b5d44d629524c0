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
import { describe, expect, test } from "vitest";
import { createMachine } from "../support/machine.js";
import { createBootstrappedUser, eventually, noUserManager } from "../support/user-manager.js";

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
  const documents = ["README.md", "LICENSE", "takopi.example.toml", "dist/THIRD_PARTY_LICENSES"];
  for (const name of documents)
    expect(readFileSync(join(installed, "current", name))).toEqual(readFileSync(join(copy, name)));
  expect(first.stdout).toContain("takopi.example.toml in ~/.local/lib/takopi-ghauth/current.");
  const unconfigured = await machine.run(["ghauth", "run"], { env });
  expect(unconfigured.exitCode).toBe(78);
  expect(unconfigured.stderr).toContain(`it is in ${installed}/`);

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
  // It knows its node and its program, whatever is on PATH.
  const helper = join(machine.home, ".local/bin/git-credential-ghauth");
  const marked = await machine.run([helper, "_invalidate_cache"], { env: { PATH: "/nonexistent" } });
  expect(marked).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  expect(readdirSync(join(machine.home, ".local/state/takopi/refused"))).toHaveLength(1);
  const demo = await machine.run(["ghauth", "demo"], { env });
  expect(demo).toMatchObject({ exitCode: 0, stdout: expect.stringContaining("Refresh succeeded.") });
});

describe.skipIf(noUserManager !== null)(
  `install_local.sh (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    const installLocal = ".local/lib/takopi-ghauth/current/scripts/install_local.sh";
    const units = ["takopi-ghauth.service", "takopi-ghauth-broker.service"];

    test("the chat host and the broker can be enabled, and are there again after a restart", async () => {
      await using host = await createBootstrappedUser();
      // A console that nobody types at, and a broker with a client.
      host.write(".takopi/takopi.toml", 'transport = "console"\n', 0o644);
      expect((await host.run([`${host.home}/${installLocal}`])).stdout).toContain(
        "changed ~/.takopi/takopi.toml: mode 0600",
      );
      expect((await host.run(["ghauth", "broker", "client", "add", "a", "--admin"])).exitCode).toBe(0);
      await host.dropIn("takopi-ghauth.service", "[Service]\nExecStart=\nExecStart=/bin/sleep infinity\n");
      await host.systemctl("start", ...units);

      const unasked = await host.run([`${host.home}/${installLocal}`]);
      for (const unit of units) expect(unasked.stderr).toContain(`Run: systemctl --user enable ${unit}`);

      await host.systemctl("enable", ...units);
      expect((await host.run([`${host.home}/${installLocal}`])).stderr).toBe("");
      await host.restartManager();

      for (const unit of [...units, "takopi-github-token-refresh.timer"]) {
        expect(await host.systemctl("is-enabled", unit)).toBe("enabled");
        await eventually(async () => (await host.property(unit, "ActiveState")) === "active");
      }
    });

    test("refresh units that are older than the program are named, with what to run", async () => {
      await using host = await createBootstrappedUser();
      const unit = ".config/systemd/user/takopi-github-token-refresh.service";
      host.write(unit, host.read(unit).replace("TimeoutStartSec=180", "TimeoutStartSec=90"), 0o644);

      const { exitCode, stderr } = await host.run([`${host.home}/${installLocal}`]);

      expect({ exitCode, stderr }).toEqual({
        exitCode: 0,
        stderr:
          "warning: takopi-github-token-refresh.service is older than this program: run bootstrap again, ~/.local/lib/takopi-ghauth/current/scripts/bootstrap_user_refresh.sh\n",
      });
      await host.run([`${host.home}/.local/lib/takopi-ghauth/current/scripts/bootstrap_user_refresh.sh`]);
      expect((await host.run([`${host.home}/${installLocal}`])).stderr).toBe("");
    });

    test("a node that moved: each executable runs on the one on PATH, and says so once", async () => {
      await using host = await createBootstrappedUser();
      const node = `${host.home}/versions/20/node`;
      await host.run(["install", "-D", "/run/node/node", node]);
      const again = await host.script("bootstrap_user_refresh.sh", [], { GHAUTH_NODE: node });
      expect(again.exitCode).toBe(0);
      await host.run(["rm", node]);

      for (const words of [
        ["ghauth", "help"],
        ["takopi-refresh-github-token", "--help"],
        ["git-credential-ghauth", "--help"],
      ]) {
        const { exitCode, stderr } = await host.run(words);
        expect({ exitCode, stderr }).toEqual({
          exitCode: 0,
          stderr: `${words[0]}: ${node} is gone, and the node on PATH runs instead: run bootstrap_user_refresh.sh again.\n`,
        });
      }
      const { exitCode, stderr } = await host.run(["ghauth", "help"], {
        env: { PATH: `${host.home}/.local/bin` },
      });
      expect({ exitCode, stderr }).toEqual({
        exitCode: 78,
        stderr: `Node was not found (${node}): install it, or set GHAUTH_NODE to its path.\n`,
      });
    });
  },
);
