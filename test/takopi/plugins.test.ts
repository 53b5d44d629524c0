import { cpSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { installHello, installPackage } from "../support/install.js";
import { createMachine, type Machine } from "../support/machine.js";

const backend = (id: string) =>
  `export const BACKEND = { id: "${id}", description: "", handle: async () => ({ text: "hi" }) };\n`;
const declares = (ids: Record<string, unknown>) => ({ command_backends: ids });

describe("command backends are found, listed and loaded as Takopi does it", () => {
  let machine: Machine;
  let ghauth: string;
  beforeAll(async () => {
    machine = await createMachine();
    ghauth = installPackage(machine.root, [
      {
        name: "boom-plugin",
        takopi: declares({ boom: "./boom.js" }),
        files: { "boom.js": 'throw new Error("out of order");\n' },
      },
      { name: "dup-a", takopi: declares({ dup: "./dup.js" }), files: { "dup.js": backend("dup") } },
      { name: "dup-b", takopi: declares({ dup: "./dup.js" }), files: { "dup.js": backend("dup") } },
      {
        name: "bad-ids",
        takopi: declares({ "gh-auth": "./x.js", topic: "./x.js", outside: "../dup-a/dup.js", number: 5 }),
      },
      {
        name: "not-one",
        takopi: declares({ nothing: "./nothing.js" }),
        files: { "nothing.js": "export const BACKEND = { id: 5 };\n" },
      },
      { name: "other-id", takopi: declares({ mine: "./mine.js" }), files: { "mine.js": backend("yours") } },
      { name: "broken-manifest", files: { "package.json": "{" } },
    ]);
    installHello(ghauth);
  });
  afterAll(async () => machine[Symbol.asyncDispose]());

  const plugins = async (args: string[] = [], toml = "") => {
    machine.write(machine.paths.takopiConfig, toml);
    const { exitCode, stdout } = await machine.run([process.execPath, ghauth, "plugins", ...args]);
    expect(exitCode).toBe(0);
    return stdout.trimEnd().split("\n");
  };

  test("plugins lists them without importing any, and says what is wrong with declarations", async () => {
    expect(await plugins()).toEqual([
      "command backends:",
      "  boom (boom-plugin)",
      "  ghauth (takopi-ghauth)",
      "  hello (@somebody/takopi_hello)",
      "  mine (other-id)",
      "  nothing (not-one)",
      "errors:",
      "  command outside (bad-ids): its path must be one inside its package, as in './dist/plugin.js'",
      "  command number (bad-ids): its path must be one inside its package, as in './dist/plugin.js'",
      expect.stringMatching(/^ {2}command \? \(broken-manifest\): its package\.json cannot be read: /),
      "  command gh-auth (bad-ids): invalid plugin id 'gh-auth'; must match ^[a-z0-9_]{1,32}$",
      "  command topic (bad-ids): reserved plugin id 'topic' is not allowed",
      "  command dup (dup-a): duplicate plugin id 'dup' from dup-a, dup-b",
      "  command dup (dup-b): duplicate plugin id 'dup' from dup-a, dup-b",
    ]);
  });

  test("--load imports them, and says which cannot be", async () => {
    const lines = await plugins(["--load"]);
    expect(lines.slice(-3)).toEqual([
      "  command boom (boom-plugin): out of order",
      "  command mine (other-id): ./mine.js command id 'yours' does not match entrypoint 'mine'",
      "  command nothing (not-one): ./nothing.js is not a CommandBackend",
    ]);
  });

  test("[plugins] enabled takes package names as Takopi folds them; others stay out, errors and all", async () => {
    expect(
      await plugins(["--load"], '[plugins]\nenabled = ["Takopi_GHauth", "@somebody/takopi.hello"]\n'),
    ).toEqual([
      "command backends:",
      "  boom (boom-plugin) disabled",
      "  dup (dup-a) disabled",
      "  dup (dup-b) disabled",
      "  ghauth (takopi-ghauth) enabled",
      "  hello (@somebody/takopi_hello) enabled",
      "  mine (other-id) disabled",
      "  nothing (not-one) disabled",
    ]);
  });

  test("a host serves somebody else's backend, and goes on beside one that cannot be loaded", async () => {
    machine.write(
      machine.paths.takopiConfig,
      'transport = "console"\n[plugins]\nenabled = ["boom-plugin", "@somebody/takopi-hello"]\n[plugins.hello]\nword = "Ahoy"\n',
    );
    const input = "/hello two words\n/hello slowly\n/hello silently\n/hello never\n/boom\n/ghauth\n";
    const { exitCode, stdout, stderr } = await machine.run([process.execPath, ghauth, "run"], { input });
    expect(exitCode).toBe(0);
    expect(stdout.trim().split("\n\n")).toEqual([
      "Ahoy, two words",
      "…",
      "Ahoy, slowly",
      "error:\nno [redacted] for you",
      "error:\nFailed to load command 'boom': out of order",
      "There is no /ghauth here: /boom, /hello.",
    ]);
    expect(stderr).toMatch(
      /"event":"plugin\.failed","command":"boom","package":"boom-plugin","message":"out of order"/,
    );
    expect(stderr).toContain("Plugins: boom (boom-plugin), hello (@somebody/takopi_hello).");
  });
});

test("status needs nothing that is installed: chat libraries are loaded by `ghauth run` alone", async () => {
  await using machine = await createMachine();
  const alone = join(machine.root, "alone");
  for (const part of ["dist", "package.json"])
    cpSync(join(import.meta.dirname, "../..", part), join(alone, part), { recursive: true });
  const { exitCode, stdout } = await machine.run([process.execPath, join(alone, "dist/main.js"), "status"]);
  expect([exitCode, stdout.split("\n")[0]]).toEqual([1, "GitHub token: missing"]);
});
