import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createMachine, type RunResult } from "../support/machine.js";
import { needsRoot } from "../support/needs.js";

const script = join(import.meta.dirname, "../../scripts/uninstall_user_refresh.sh");

/**
 * A host without a user manager, whose github-app.env names TOKEN_ENV_FILE. It is to name nothing outside of the home: a
 * script that removed it would remove it from the machine.
 */
async function createHost(tokenEnvFile = "") {
  const machine = await createMachine();
  const { home, paths } = machine;
  machine.write(paths.appEnvFile, `${machine.read(paths.appEnvFile)}TOKEN_ENV_FILE=${tokenEnvFile}\n`);
  machine.write(paths.refreshLog, "{}\n");
  // No manager of the machine's own is to be told, nor a uv of its own to be asked.
  const alone = { XDG_RUNTIME_DIR: join(machine.root, "none"), PATH: "/usr/bin:/bin" };
  return {
    ...machine,
    alone,
    /** A path in the home. */
    at: (name: string) => join(home, name),
    put: (name: string, text = "the operator's\n") => machine.write(join(home, name), text),
    has: (name: string) => existsSync(join(home, name)),
    uninstall: async (...args: string[]): Promise<RunResult> =>
      machine.run([script, ...args], { env: alone }),
  };
}

const token = "GITHUB_TOKEN=x\nGH_TOKEN=x\nGITHUB_TOKEN_EXPIRES_EPOCH=1\n";

describe("uninstall_user_refresh.sh --purge removes what a setting names only if it is a token file", () => {
  test("a file that the refresh script wrote goes, and so does what a killed run left of it", async () => {
    await using host = await createHost("~/some where/token's.env");
    host.put("some where/token's.env", token);
    host.put("some where/.token's.env.4711.0123abcd.tmp", token);
    host.put("some where/.token's.env.backup", token);

    expect((await host.uninstall("--purge")).exitCode).toBe(0);

    expect(readdirSync(host.at("some where"))).toEqual([".token's.env.backup"]);
    expect(host.has(".config/takopi")).toBe(false);
  });

  test.each([
    ["~/projects", "it is a directory"],
    ["~/projects/", "it is a directory"],
    ["~", "it is a directory"],
    ["~/link to projects", "it is a directory"],
    ["notes.txt", "it is a relative path"],
    ["../home of tests/notes.txt", "it is a relative path"],
    ["-rf", "it is a relative path"],
    ["~somebody/notes.txt", "it is a relative path"],
    ["~/notes.txt", "it holds something else than a token"],
    ["~/.config/takopi/../../notes.txt", "it holds something else than a token"],
    ["~/pipe", "it is no regular file"],
  ])("%s is left alone and named: %s", async (setting, why) => {
    await using host = await createHost(setting);
    host.put("projects/site/index.html");
    host.put("notes.txt", `${token}# and\nwhat somebody else wrote\n`);
    host.put("-rf");
    host.put("projects/.site.4711.0123abcd.tmp/index.html");
    symlinkSync(host.at("projects"), host.at("link to projects"));
    await host.run(["mkfifo", "pipe"]);

    const { exitCode, stderr } = await host.uninstall("--purge");

    expect(exitCode).toBe(0);
    expect(stderr).toContain(`which TOKEN_ENV_FILE names, because ${why}`);
    for (const name of ["projects/site/index.html", "notes.txt", "-rf", "link to projects", "pipe"])
      expect(host.has(name)).toBe(true);
    expect(host.has(".config/takopi")).toBe(false);
  });

  test("directories in the place of our files, and what else lies beside these, are left alone and named", async () => {
    await using host = await createHost();
    host.put(".config/takopi/broker key");
    host.put(".config/takopi/github-token.env/photo.jpg");
    host.put(".config/takopi/.github-app.pem.4711.0123abcd.tmp/photo.jpg");
    host.put(".local/state/takopi/diary");

    const { stdout, stderr } = await host.uninstall("--purge");

    expect(stderr).toContain("left alone: ~/.config/takopi/github-token.env, because it is a directory.");
    expect(stdout).toMatch(/Kept: ~\/\.config\/takopi, which holds something else: .*broker\\ key/);
    expect(stdout).toContain("Kept: ~/.local/state/takopi, which holds something else: diary");
    expect(readdirSync(host.at(".config/takopi"))).toEqual([
      ".github-app.pem.4711.0123abcd.tmp",
      "broker key",
      "github-token.env",
    ]);
    expect(host.has(".config/takopi/github-token.env/photo.jpg")).toBe(true);
    expect(readdirSync(host.at(".local/state/takopi"))).toEqual(["diary"]);
  });

  test("a link in the place of a file is removed, and what it leads to stays", async () => {
    await using host = await createHost("~/token link");
    host.put("token.env", token);
    symlinkSync("token.env", host.at("token link"));
    mkdirSync(host.at("state"));
    host.put("state/notes");

    expect((await host.uninstall("--purge")).exitCode).toBe(0);

    expect(host.has("token link")).toBe(false);
    expect(host.has("token.env")).toBe(true);
  });

  test("a settings file that cannot be read as one keeps nobody waiting", async () => {
    await using host = await createHost();
    await host.run(["sh", "-c", 'rm "$1" && mkfifo "$1"', "sh", host.paths.appEnvFile]);

    expect((await host.uninstall("--purge")).exitCode).toBe(0);

    expect(host.has(".config/takopi")).toBe(false);
  });

  test("what cannot be removed is named, the rest is removed, and it ends with 78", async (context) => {
    needsRoot(context);
    await using host = await createHost("~/theirs/token.env");
    host.put("theirs/token.env", token);
    const readOnly = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && exec "$2" --purge';

    const { exitCode, stderr } = await host.run(
      ["unshare", "--mount", "sh", "-c", readOnly, "sh", host.at("theirs"), script],
      { env: host.alone },
    );

    expect(exitCode).toBe(78);
    expect(stderr).toContain("warning: ~/theirs/token.env could not be removed: Read-only file system");
    expect(host.has(".config/takopi")).toBe(false);
  });
});

test.each(["--purge --dry-run", "--dry-run --purge", "--dry-run"])(
  "%s shows what would be removed, and removes nothing",
  async (options) => {
    await using host = await createHost("~/token.env");
    host.put("token.env", token);
    host.put(".config/systemd/user/takopi-github-token-refresh.timer", "");
    host.put(".local/lib/takopi-ghauth/current", "");
    const files = async () => (await host.run(["find", ".", "-printf", "%p %i %T@\n"])).stdout;
    const before = await files();

    const { exitCode, stdout } = await host.uninstall(...options.split(" "));

    expect(exitCode).toBe(0);
    expect(stdout).toContain("would remove ~/.config/systemd/user/takopi-github-token-refresh.timer\n");
    expect(stdout).toContain("would remove ~/.local/lib/takopi-ghauth\n");
    expect(stdout.includes("would remove ~/token.env\n")).toBe(options.includes("--purge"));
    expect(await files()).toBe(before);
  },
);

describe.each(["uninstall_user_refresh.sh", "bootstrap_user_refresh.sh", "install_local.sh"])(
  "%s",
  (name) => {
    test.each([
      [["--dry-run", "--prune"], "There is no option '--prune'."],
      [["--dry-run", "--dry-run --purge"], "There is no option '--dry-run --purge'."],
      [["--dry-run", ""], "There is no option ''."],
      [["please"], "There is no option 'please'."],
    ])("refuses %j, and does nothing", async (args, sentence) => {
      await using host = await createHost();
      const run = await host.run([join(script, "..", name), ...args]);
      expect(run).toMatchObject({ exitCode: 64, stdout: "", stderr: expect.stringContaining(sentence) });
      expect(host.has(".local/lib")).toBe(false);
    });

    test("--help wins over the options before it", async () => {
      await using host = await createHost();
      const run = await host.run([join(script, "..", name), "--dry-run", "--help"]);
      expect(run).toMatchObject({ exitCode: 0, stderr: "", stdout: expect.stringMatching(/^usage: /) });
    });
  },
);
