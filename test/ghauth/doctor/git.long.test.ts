import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ailment, apply, createSoundMachine, diagnose, mend } from "../../support/doctor.js";
import type { Machine } from "../../support/machine.js";

const planted = `ghp_${"Planted7".repeat(5)}`;
const header = `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${planted}`).toString("base64")}`;
const key = "credential.https://github.com.helper";

const git = async (machine: Machine, ...words: string[]) => {
  const { exitCode, stdout, stderr } = await machine.run(["git", ...words]);
  expect({ words, exitCode, stderr }).toMatchObject({ exitCode: 0 });
  return stdout.trim();
};
const clone = async (machine: Machine) => {
  const directory = join(machine.home, "a clone");
  mkdirSync(directory);
  await git(machine, "init", "--quiet", directory);
  return directory;
};

const ailments: [string, Ailment][] = [
  [
    "a header of one's own for github.com",
    {
      label: "git helper",
      ail: async (machine) =>
        void (await git(machine, "config", "--global", "http.https://github.com/.extraheader", header)),
      level: "error",
      detail: /^http\.https:\/\/github\.com\/\.extraheader in ~\/\.gitconfig sends a token of its own/,
    },
  ],
  [
    "a header of one's own for every host, beside one that is none of a token",
    {
      label: "git helper",
      ail: async (machine) => {
        await git(machine, "config", "--global", "http.extraheader", "X-Trace: 1");
        await git(machine, "config", "--global", "--add", "http.extraHeader", header);
      },
      level: "error",
      detail: /^http\.extraheader in ~\/\.gitconfig sends a token/,
    },
  ],
  [
    "a header that a clone has, as actions/checkout leaves it",
    {
      label: "git helper",
      ail: async (machine) => {
        const directory = await clone(machine);
        await git(machine, "-C", directory, "config", "http.https://github.com/.extraheader", header);
      },
      args: ({ home }) => ["--repo", join(home, "a clone")],
      level: "error",
      detail: /^http\.https:\/\/github\.com\/\.extraheader in ~\/a clone sends a token/,
    },
  ],
  [
    "gh auth setup-git, which takes the place of ours",
    {
      label: "git helper",
      ail: async (machine) => {
        machine.write(
          join(machine.home, ".config/gh/hosts.yml"),
          `github.com:\n    oauth_token: ${planted}\n    user: x\n`,
        );
        const { exitCode, stderr } = await machine.run(["gh", "auth", "setup-git"]);
        expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      },
      level: "error",
      detail: /^gh is asked, and not ghauth \(credential\.https:\/\/github\.com\.helper in ~\/\.gitconfig\)$/,
    },
  ],
  [
    "a general helper that is asked before ours",
    {
      label: "git helper",
      ail: async (machine) => {
        await git(machine, "config", "--global", "--unset-all", key);
        await git(machine, "config", "--global", "credential.helper", "store");
        await git(machine, "config", "--global", "--add", key, "ghauth");
      },
      level: "error",
      detail: /^store is asked before ghauth for github\.com \(credential\.helper in ~\/\.gitconfig\)$/,
    },
  ],
  [
    "a helper that a clone has put in the place of ours",
    {
      label: "git helper",
      ail: async (machine) => {
        const directory = await clone(machine);
        await git(machine, "-C", directory, "config", key, "");
        await git(machine, "-C", directory, "config", "--add", key, "cache");
      },
      args: ({ home }) => ["--repo", join(home, "a clone")],
      level: "error",
      detail: /^ghauth is not asked for github\.com in ~\/a clone, which has helpers of its own$/,
    },
  ],
  [
    "no helper at all",
    {
      label: "git helper",
      ail: async (machine) => void (await git(machine, "config", "--global", "--unset-all", key)),
      level: "warning",
      detail: /^git asks no helper/,
    },
  ],
  [
    "a helper that is not where git is told to look for it",
    {
      label: "git helper",
      ail: async (machine) => {
        await git(machine, "config", "--global", "--replace-all", key, "/nowhere/git-credential-ghauth");
      },
      level: "error",
      detail: /^git is to ask ghauth, and there is no \/nowhere\/git-credential-ghauth$/,
    },
  ],
  [
    "a token in the address of a clone's remote",
    {
      label: "git remotes",
      ail: async (machine) => {
        const directory = await clone(machine);
        await git(
          machine,
          "-C",
          directory,
          "remote",
          "add",
          "origin",
          `https://x-access-token:${planted}@github.com/acme/site.git`,
        );
      },
      args: ({ home }) => ["--repo", join(home, "a clone")],
      level: "error",
      detail: /^remote\.origin\.url in ~\/a clone has a password or token in its address/,
    },
  ],
  [
    "two addresses of one remote, one with a token",
    {
      label: "git remotes",
      ail: async (machine) => {
        const directory = await clone(machine);
        await git(machine, "-C", directory, "remote", "add", "origin", "https://github.com/acme/site.git");
        await git(
          machine,
          "-C",
          directory,
          "remote",
          "set-url",
          "--add",
          "origin",
          `https://${planted}@github.com/acme/copy.git`,
        );
      },
      args: ({ home }) => ["--repo", join(home, "a clone")],
      level: "error",
      detail: /^remote\.origin\.url in ~\/a clone has/,
    },
  ],
  [
    "an address with a token that all addresses are rewritten to",
    {
      label: "git remotes",
      ail: async (machine) => {
        const base = `url.https://x-access-token:${planted}@github.com/.insteadOf`;
        await git(machine, "config", "--global", base, "https://github.com/");
      },
      level: "error",
      detail: /^url\.https:\/\/github\.com\/\.insteadof in ~\/\.gitconfig has/,
    },
  ],
];

describe.concurrent("doctor finds, and the command that it prints mends,", () => {
  test.each(ailments)("%s", async (_what, ailment) => {
    expect(await mend(ailment)).toMatchObject({ level: "ok", remedy: null });
  });
});

describe.concurrent("what is no token", () => {
  test("a user's name in an address, a header without one, helpers of another host", async () => {
    await using machine = await createSoundMachine();
    const directory = await clone(machine);
    await git(
      machine,
      "-C",
      directory,
      "remote",
      "add",
      "origin",
      "https://x-access-token@github.com/acme/site.git",
    );
    await git(machine, "config", "--global", "http.https://github.com/.extraheader", "X-Trace: 1");
    await git(machine, "config", "--global", "http.https://example.com/.extraheader", header);
    await git(machine, "config", "--global", "credential.https://example.com.helper", "store");
    await git(machine, "config", "--global", "--add", key, "store");
    const found = await diagnose(machine, ["--repo", directory]);
    expect(found("git helper").level).toBe("ok");
    expect(found("git remotes").level).toBe("ok");
  });

  test("the clone that one stands in is looked at", async () => {
    await using machine = await createSoundMachine();
    const directory = await clone(machine);
    await git(machine, "-C", directory, "config", "http.extraheader", header);
    mkdirSync(join(directory, "deep"));
    const { level, remedy } = (await diagnose(machine, [], { cwd: join(directory, "deep") }))("git helper");
    expect(level).toBe("error");
    await apply(machine, remedy);
    expect((await diagnose(machine, [], { cwd: directory }))("git helper").level).toBe("ok");
  });
});
