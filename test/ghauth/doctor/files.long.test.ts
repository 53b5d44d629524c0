import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ailment, createSoundMachine, diagnose, mend } from "../../support/doctor.js";
import { pem } from "../../support/machine.js";

const mode = (path: (machine: Machine) => string, bits: number) => (machine: Machine) =>
  chmodSync(path(machine), bits);
type Machine = Awaited<ReturnType<typeof createSoundMachine>>;

const ailments: [string, Ailment][] = [
  [
    "a token env file that others can read",
    {
      label: "token",
      ail: mode(({ paths }) => paths.tokenEnvFile, 0o644),
      level: "error",
      detail: /^~\/\.config\/takopi\/github-token\.env can be read by others: mode 0644$/,
    },
  ],
  [
    "a token that is not there",
    { label: "token", ail: ({ paths }) => rmSync(paths.tokenEnvFile), level: "error", detail: /^missing: / },
  ],
  [
    "a token that GitHub refused",
    {
      label: "token",
      ail: async (machine) => {
        await machine.run(["git-credential-ghauth", "erase"], {
          input: `protocol=https\nhost=github.com\nusername=x-access-token\npassword=${machine.heldToken()}\n\n`,
        });
      },
      level: "warning",
      detail: /^stale, refused by GitHub$/,
    },
  ],
  [
    "an expired token",
    {
      label: "token",
      ail: ({ paths, write, read }) =>
        write(paths.tokenEnvFile, read(paths.tokenEnvFile).replace(/EPOCH=\d+/, "EPOCH=1700000000")),
      level: "error",
      detail: /^expired$/,
    },
  ],
  [
    "a key that others can read",
    {
      label: "key",
      ail: mode(({ paths }) => paths.privateKey, 0o640),
      level: "error",
      detail: /can be read by others: mode 0640$/,
    },
  ],
  [
    "settings that others can read",
    {
      label: "config",
      ail: mode(({ paths }) => paths.appEnvFile, 0o644),
      level: "error",
      detail: /github-app\.env can be read by others/,
    },
  ],
  [
    "settings that anybody can change",
    {
      label: "config",
      ail: mode(({ paths }) => paths.appEnvFile, 0o606),
      level: "error",
      detail: /github-app\.env can be read or changed by others/,
    },
  ],
  [
    "a takopi.toml that others can change",
    {
      label: "config",
      ail: ({ write, paths }) => write(paths.takopiConfig, "", 0o622),
      level: "error",
      detail: /^~\/\.takopi\/takopi\.toml can be changed by others: mode 0622$/,
    },
  ],
  [
    "a takopi.toml with a bot token that others can read",
    {
      label: "config",
      ail: ({ write, paths }) =>
        write(
          paths.takopiConfig,
          'transport = "telegram"\n[transports.telegram]\nbot_token = "1:a"\nchat_id = 1\n',
          0o644,
        ),
      level: "error",
      detail: /^~\/\.takopi\/takopi\.toml can be read by others: mode 0644$/,
    },
  ],
  [
    "a file with a bot token that everybody can read",
    {
      label: "chat",
      ail: ({ write, paths, home }) => {
        write(join(home, "bot"), "12345678:AAplanted-bot-token", 0o644);
        write(
          paths.takopiConfig,
          'transport = "telegram"\n[transports.telegram]\nbot_token_file = "~/bot"\nchat_id = 1\n',
        );
      },
      level: "error",
      detail: /^~\/bot can be read by others/,
    },
  ],
  [
    "a refresh script that is not executable",
    {
      label: "refresh script",
      ail: ({ write, paths, home }) => {
        write(join(home, "script"), "#!/bin/sh\n", 0o600);
        write(paths.takopiConfig, '[plugins.ghauth]\nrefresh_script = "~/script"\n');
      },
      level: "error",
      detail: /^~\/script cannot be executed$/,
    },
  ],
  [
    "a refresh script that others can change",
    {
      label: "refresh script",
      ail: ({ write, paths, home }) => {
        write(join(home, "script"), "#!/bin/sh\n", 0o777);
        write(paths.takopiConfig, '[plugins.ghauth]\nrefresh_script = "~/script"\n');
      },
      level: "error",
      detail: /^~\/script can be changed by others/,
    },
  ],
  [
    "no refresh so far",
    {
      label: "last refresh",
      ail: ({ paths }) => rmSync(paths.refreshLog),
      level: "warning",
      detail: /^there was none yet$/,
    },
  ],
  [
    "a copy of the key where everybody may look",
    {
      label: "leftovers",
      ail: ({ write, env }) => write(join(env["TMPDIR"] ?? "", "key.pem"), pem, 0o644),
      level: "error",
      detail: /key\.pem is a copy of the App's key, by its look$/,
    },
  ],
  [
    "a downloaded key",
    {
      label: "leftovers",
      ail: ({ write, home }) => write(join(home, "Downloads/example.2026-11-01.private-key.pem"), pem),
      level: "error",
      detail: /^~\/Downloads\/example\.2026-11-01\.private-key\.pem is a private key as GitHub gives it$/,
    },
  ],
  [
    "a key in a backup",
    {
      label: "leftovers",
      ail: ({ write, home }) => write(join(home, "backups/monday/github-app.pem.bak"), pem),
      level: "error",
      detail: /^~\/backups\/monday\/github-app\.pem\.bak is a copy/,
    },
  ],
  [
    "git's ready answer, which others can read",
    {
      label: "leftovers",
      ail: ({ home }) => chmodSync(join(home, ".local/state/takopi/git/github.com"), 0o644),
      level: "error",
      detail: /git\/github\.com can be read by others/,
    },
  ],
];

describe.concurrent("doctor finds, and the command that it prints mends,", () => {
  test.each(ailments)("%s", async (_what, ailment) => {
    expect(await mend(ailment)).toMatchObject({ level: "ok", remedy: null });
  });
});

test("a sound machine has no error, and the key is not looked at beyond its first line", async () => {
  await using machine = await createSoundMachine();
  const found = await diagnose(machine);
  for (const label of [
    "config",
    "token",
    "refresh script",
    "last refresh",
    "key",
    "environment",
    "git helper",
    "git remotes",
    "gh",
    "chat",
    "leftovers",
    "clock",
    "github",
  ])
    expect(found(label)).toMatchObject({ label, level: "ok", remedy: null });
});

describe.concurrent("what only a person can mend is a sentence with the command in it", () => {
  const sentence = /^[A-Z].*`[^`]+`$/;

  test("values of the examples", async () => {
    await using machine = await createSoundMachine();
    machine.write(
      machine.paths.takopiConfig,
      'transport = "telegram"\n[transports.telegram]\nbot_token = "..."\nchat_id = -1001234567890\nallowed_user_ids = [7]\n',
    );
    const { level, detail, remedy } = (await diagnose(machine))("config");
    expect(level).toBe("error");
    expect(detail).toBe("~/.takopi/takopi.toml still has the example's bot_token, chat_id");
    expect(remedy).toMatch(sentence);
  });

  test("a misspelt key, a wrong transport, nobody who may refresh", async () => {
    await using machine = await createSoundMachine();
    const look = async (text: string) => {
      machine.write(machine.paths.takopiConfig, text);
      return diagnose(machine);
    };
    const misspelt = (await look("[plugins.ghauth]\ntoken_file = 1\n"))("config");
    expect(misspelt).toMatchObject({
      level: "error",
      detail: expect.stringContaining("plugins.ghauth.token_file"),
      remedy: expect.stringMatching(sentence),
    });
    const torn = (await look("transport = \n"))("config");
    expect(torn).toMatchObject({
      level: "error",
      detail: expect.stringContaining("line 1"),
      remedy: expect.stringMatching(sentence),
    });
    const nobody = (
      await look(
        'transport = "telegram"\n[transports.telegram]\nbot_token = "12345678:AAsomething"\nchat_id = -5\n',
      )
    )("chat");
    expect(nobody).toMatchObject({
      level: "warning",
      detail: expect.stringContaining("nobody may refresh"),
      remedy: expect.stringMatching(sentence),
    });
  });

  test("two files for one token", async () => {
    await using machine = await createSoundMachine();
    machine.write(
      machine.paths.appEnvFile,
      `${machine.read(machine.paths.appEnvFile)}TOKEN_ENV_FILE=~/other.env\n`,
    );
    expect((await diagnose(machine))("config")).toMatchObject({
      level: "error",
      detail: expect.stringContaining("~/other.env"),
      remedy: expect.stringMatching(sentence),
    });
  });

  test("a refresh that failed for a reason that stays", async () => {
    await using machine = await createSoundMachine();
    chmodSync(machine.paths.privateKey, 0o644);
    await machine.refresh();
    const { level, detail, remedy } = (await diagnose(machine))("last refresh");
    expect(level).toBe("error");
    expect(detail).toMatch(/failed: The private key .* can be read by others/);
    expect(remedy).toMatch(sentence);
  });
});

test("nothing that others can change, and no key, where there is none", async () => {
  await using machine = await createSoundMachine();
  rmSync(machine.paths.privateKey);
  mkdirSync(join(machine.home, "Downloads"));
  expect((await diagnose(machine))("key")).toMatchObject({
    level: "error",
    detail: expect.stringMatching(/^there is no /),
  });
});
