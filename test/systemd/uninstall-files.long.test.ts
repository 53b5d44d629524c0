import { existsSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createMachine, type RunResult } from "../support/machine.js";
import { needs, needsRoot } from "../support/needs.js";
import { resolvePaths } from "../../src/system/paths.js";

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

  test("a link that is named like gh's scratch is not followed", async () => {
    await using host = await createHost();
    const settings = host.read(host.paths.appEnvFile).replace("GH_AUTH=off", "GH_AUTH=auto");
    host.write(host.paths.appEnvFile, settings);
    host.put("another gh/hosts.yml");
    host.put(".config/gh/config.yml");
    symlinkSync(host.at("another gh"), host.at(".config/gh/.takopi-ghauth.4711.0123abcd.tmp"));

    expect((await host.uninstall("--purge")).exitCode).toBe(0);

    expect(host.has("another gh/hosts.yml")).toBe(true);
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

describe("uninstall_user_refresh.sh and git's configuration", () => {
  const key = "credential.https://github.com.helper";
  const ours = ["ghauth", "git-credential-ghauth", "/opt/takopi/bin/git-credential-ghauth"];

  test.each([
    ["as README sets it up", ["", "ghauth"], []],
    ["alone", ["ghauth"], []],
    ["written twice", ["ghauth", "ghauth"], []],
    ["behind another", ["store", "ghauth"], ["store"]],
    ["before another", ["ghauth", "cache --timeout=60"], ["cache --timeout=60"]],
    [
      "beside gh, whose empty line stays",
      ["", "!/usr/bin/gh auth git-credential", "ghauth"],
      ["", "!/usr/bin/gh auth git-credential"],
    ],
    [
      "in front of gh, for which the empty line may be as well",
      ["", "ghauth", "!gh auth git-credential"],
      ["", "!gh auth git-credential"],
    ],
    [
      "with an empty line of its own behind gh's",
      ["", "!gh auth git-credential", "", "ghauth"],
      ["", "!gh auth git-credential"],
    ],
    [
      "by paths, quoted or not",
      [
        "",
        ...ours,
        "!'/opt/takopi/bin/git-credential-ghauth' get",
        "'/opt/takopi/bin/git-credential-ghauth'",
      ],
      ["", "!'/opt/takopi/bin/git-credential-ghauth' get"],
    ],
    [
      "not at all",
      ["", "ghauth-of-mine", "!ghauth", "/usr/bin/env git-credential-ghauth", "git-credential-ghauth --log"],
      ["", "ghauth-of-mine", "!ghauth", "/usr/bin/env git-credential-ghauth", "git-credential-ghauth --log"],
    ],
  ])("ours %s goes, and every other helper works on", async (_, before, after) => {
    await using host = await createHost();
    const git = async (...args: string[]) =>
      (await host.run(["git", "config", "--global", ...args], { env: host.alone })).stdout;
    for (const helper of before) await git("--add", key, helper);
    await git("user.name", "Ada");
    await git("--add", "credential.helper", "store");

    const { exitCode } = await host.uninstall("--purge");

    expect(exitCode).toBe(0);
    expect((await git("--null", "--get-all", key)).split("\0").slice(0, -1)).toEqual(after);
    expect(await git("--get-all", "credential.helper")).toBe("store\n");
    expect(await git("user.name")).toBe("Ada\n");
  });

  test("the path that bootstrap installs to, in the configuration of XDG and in a file that it includes", async () => {
    await using host = await createHost();
    const helper = `${host.home}/.local/bin/git-credential-ghauth`;
    host.put(".config/git/config", `[credential]\n\thelper = "'${helper}'"\n[include]\n\tpath = more\n`);
    host.put(
      ".config/git/more",
      `[credential "https://ghe.example"]\n\thelper = ghauth\n[user]\n\tname = Ada\n`,
    );

    const { stdout } = await host.uninstall("--purge");

    expect(stdout).toContain(`removed from ~/.config/git/config: credential.helper = '${helper}'\n`);
    expect(stdout).toContain(
      "removed from ~/.config/git/more: credential.https://ghe.example.helper = ghauth\n",
    );
    expect(host.read(host.at(".config/git/config"))).toBe("[include]\n\tpath = more\n");
    expect(host.read(host.at(".config/git/more"))).toBe("[user]\n\tname = Ada\n");
  });

  test("what is not this user's is named", async () => {
    await using host = await createHost();
    const elsewhere = join(host.root, "system");
    host.write(elsewhere, `[credential]\n\thelper = ghauth\n`);
    host.put(".gitconfig", `[include]\n\tpath = ${elsewhere}\n`);

    const { stderr } = await host.uninstall("--purge");

    expect(stderr).toContain(`git still looks for ghauth, by credential.helper in ${elsewhere}`);
    expect(host.read(elsewhere)).toContain("helper = ghauth");
  });

  test("a line that somebody wrote around our helper stays, and is named", async () => {
    await using host = await createHost();
    const line = `[credential]\n\thelper = "!GHAUTH_HOSTS=ghe.example git-credential-ghauth"\n`;
    host.put(".gitconfig", line);
    const { stderr } = await host.uninstall("--purge");
    expect(stderr).toContain("git still looks for ghauth, by credential.helper in");
    expect(host.read(host.at(".gitconfig"))).toBe(line);
  });

  test.each(["", "--dry-run"])(
    "without --purge it stays, and the command that removes it is told (%s)",
    async (option) => {
      await using host = await createHost();
      host.put(".gitconfig", `[credential "https://github.com"]\n\thelper =\n\thelper = ghauth\n`);

      const { stdout } = await host.uninstall(...option.split(" ").filter(Boolean));

      expect(host.read(host.at(".gitconfig"))).toContain("ghauth");
      const command =
        /Kept: credential\.https:\/\/github\.com\.helper = ghauth in ~\/\.gitconfig\. Remove it with (.*)/.exec(
          stdout,
        )?.[1];
      await host.run(["sh", "-c", command ?? "false"]);
      expect(host.read(host.at(".gitconfig"))).toBe("");
    },
  );
});

describe("uninstall_user_refresh.sh and what it leaves", () => {
  test("takopi.toml and the secrets that it names stay, and it says why", async () => {
    await using host = await createHost();
    host.put(
      ".takopi/takopi.toml",
      `[transports.telegram]\nbot_token_file = "~/.config/takopi/telegram-token" # ours\n`,
    );
    host.put(".config/takopi/telegram-token");
    host.put(".config/takopi/broker.toml");

    const { stdout } = await host.uninstall("--purge");

    expect(stdout).toContain(
      "Kept: ~/.takopi/takopi.toml, ~/.config/takopi/telegram-token. Takopi itself reads takopi.toml, too;",
    );
    expect(stdout).toContain("Kept: ~/.config/takopi, which holds something else: telegram-token");
    expect(readdirSync(host.at(".config/takopi"))).toEqual(["telegram-token"]);
    expect(host.has(".takopi/takopi.toml")).toBe(true);
  });

  test("at a terminal it asks for each: the secrets, git's lines, takopi.toml", async (context) => {
    needs(context, "script");
    await using host = await createHost();
    host.put(".takopi/takopi.toml", `bot_token_file = '~/bot token'\ntoken_env_file = "~/notes.txt"\n`);
    host.put("bot token");
    host.put("notes.txt");
    host.put(".gitconfig", `[credential "https://github.com"]\n\thelper = ghauth\n`);
    const answer = async (...answers: string[]) =>
      (
        await host.run(["script", "-qec", `'${script}'`, "/dev/null"], {
          env: host.alone,
          input: answers.map((word) => `${word}\n`).join(""),
        })
      ).stdout;

    const refused = await answer("n", "n", "n");
    expect(refused).toContain("Remove ghauth from git's credential helpers as well? [y/N]");
    expect(refused).toContain(
      "Remove ~/.takopi/takopi.toml, ~/bot token as well? Takopi itself reads takopi.toml, too. [y/N]",
    );
    expect(host.has(".config/takopi/github-app.pem")).toBe(true);
    expect(host.has(".takopi/takopi.toml")).toBe(true);

    await answer("n", "n", "y");
    expect(readdirSync(host.home).toSorted()).toEqual([
      ".config",
      ".gitconfig",
      ".local",
      ".takopi",
      "notes.txt",
    ]);
    expect(readdirSync(host.at(".takopi"))).toEqual([]);
    expect(host.has(".config/takopi/github-app.pem")).toBe(true);
  });

  test("the operator's own secrets that the settings name are named, with their setting", async () => {
    await using host = await createHost();
    host.put("keys/app.pem");
    const settings = host.read(host.paths.appEnvFile);
    host.write(host.paths.appEnvFile, `${settings}GITHUB_APP_PRIVATE_KEY_PATH=~/keys/app.pem\n`);

    const { stdout } = await host.uninstall("--purge");

    expect(stdout).toContain("Kept: ~/keys/app.pem, which GITHUB_APP_PRIVATE_KEY_PATH names.");
    expect(host.has("keys/app.pem")).toBe(true);
  });

  test("settings that cannot be used: what they name stays, and is named", async () => {
    await using host = await createHost();
    host.put("token.env", token);
    host.write(host.paths.appEnvFile, "TOKEN_ENV_FILE=~/token.env\nGH_AUTH=maybe\n");

    const { stderr } = await host.uninstall("--purge");

    expect(stderr).toContain(
      "left alone: what ~/.config/takopi/github-app.env names (TOKEN_ENV_FILE=~/token.env), because it cannot be used: GH_AUTH must be auto or off",
    );
    expect(host.has("token.env")).toBe(true);
    expect(host.has(".config/takopi")).toBe(false);
  });

  test("every file of ours that the programs know is removed, wherever XDG_CONFIG_HOME and XDG_STATE_HOME are", async () => {
    await using host = await createHost();
    const env = {
      ...host.alone,
      HOME: host.home,
      XDG_CONFIG_HOME: host.at("my config"),
      XDG_STATE_HOME: host.at("my state"),
    };
    const paths = resolvePaths(env);
    const elsewhere = [
      "my state/takopi/git.lock",
      "my state/takopi/refused/0f",
      "my state/takopi/git/github.com",
      "my state/takopi/git-owners/github.com/acme",
      "my config/takopi/github-tokens/acme.env",
      "my config/gh/.takopi-ghauth.4711.0123abcd.tmp/hosts.yml",
    ];
    const ours = Object.values(paths)
      .filter((path) => /my (?:config|state)\/takopi\//.test(path))
      .filter((path) => !elsewhere.some((file) => host.at(file).startsWith(`${path}/`))); // no directories
    expect(ours.length).toBeGreaterThan(5);
    for (const path of ours) host.write(path, "");
    for (const path of elsewhere) host.put(path, "");
    host.write(paths.appEnvFile, host.read(host.paths.appEnvFile).replace("GH_AUTH=off", "GH_AUTH=auto"));

    const { exitCode, stdout } = await host.run([script, "--purge"], { env });

    expect(exitCode).toBe(0);
    expect(stdout).not.toContain("Kept: ");
    expect(readdirSync(host.at("my state"))).toEqual([]);
    expect(readdirSync(host.at("my config"), { recursive: true })).toEqual(["gh"]);
  });
});

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
