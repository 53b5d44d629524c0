import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type Ailment, createSoundMachine, diagnose, mend } from "../../support/doctor.js";

const planted = `ghp_${"Planted8".repeat(5)}`;
const wrote =
  (name: string, text: string): Ailment["ail"] =>
  ({ write, home }) =>
    write(join(home, name), text, 0o644);

const ailments: [string, Ailment][] = [
  ...[".profile", ".bashrc", ".zshenv", ".config/environment.d/50-github.conf", ".bash_profile"].map(
    (name): [string, Ailment] => [
      `a token in ${name}`,
      {
        label: "environment",
        ail: wrote(
          name,
          `# GH_TOKEN=commented\n${name.endsWith(".conf") ? "" : "export "}GITHUB_TOKEN=${planted}\nPATH=$PATH:x\n`,
        ),
        level: "error",
        detail: new RegExp(`^~/${name.replaceAll(".", String.raw`\.`)} sets GITHUB_TOKEN: `),
      },
    ],
  ),
  [
    "a token in fish's configuration",
    {
      label: "environment",
      ail: wrote(".config/fish/config.fish", `set -gx GH_TOKEN ${planted}\n`),
      level: "error",
      detail: /config\.fish sets GH_TOKEN/,
    },
  ],
  [
    "the token env file, read at login",
    {
      label: "environment",
      ail: wrote(".profile", "set -a; . ~/.config/takopi/github-token.env; set +a\n"),
      level: "error",
      detail: /^~\/\.profile reads the token env file once, at login/,
    },
  ],
];

describe.concurrent("doctor finds, and the command that it prints mends,", () => {
  test.each(ailments)("%s", async (_what, ailment) => {
    expect(await mend(ailment)).toMatchObject({ level: "ok", remedy: null });
  });
});

test("a token in the environment that doctor itself has, unless it is the held one", async () => {
  await using machine = await createSoundMachine();
  const { level, remedy } = (await diagnose(machine, [], { env: { GH_TOKEN: planted } }))("environment");
  expect({ level, remedy }).toEqual({ level: "error", remedy: "unset GH_TOKEN" });
  const held = machine.heldToken() ?? "";
  expect(
    (await diagnose(machine, [], { env: { GH_TOKEN: held, GITHUB_TOKEN: held } }))("environment").level,
  ).toBe("ok");
});

test("a service that reads the token env file at its start, or a file with a token; one that runs and ends may", async () => {
  await using machine = await createSoundMachine();
  const unit = (name: string) => join(machine.home, ".config/systemd/user", name);
  machine.write(
    unit("once.service"),
    "[Service]\nType=oneshot\nEnvironmentFile=%h/.config/takopi/github-token.env\n",
  );
  expect((await diagnose(machine))("environment").level).toBe("ok");

  machine.write(
    unit("agent.service"),
    "[Service]\nExecStart=true\nEnvironmentFile=-%h/.config/takopi/github-token.env\n",
  );
  machine.write(unit("other.service.d/token.conf"), "[Service]\nEnvironmentFile=%h/other.env\nRestart=no\n");
  machine.write(join(machine.home, "other.env"), `GH_TOKEN=${planted}\nA=b\n`);
  const { level, detail, remedy } = (await diagnose(machine))("environment");
  expect(level).toBe("error");
  expect(detail).toMatch(
    /agent\.service reads the token env file once, at its start .*; ~\/other\.env, EnvironmentFile= of other\.service, sets GH_TOKEN/,
  );
  const lines = (remedy ?? "").split("\n");
  expect(lines.filter((line) => line.startsWith("systemctl"))).toEqual([
    "systemctl --user daemon-reload",
    "systemctl --user try-restart agent.service",
    "systemctl --user daemon-reload",
    "systemctl --user try-restart other.service",
  ]);
  // No user manager is here: the files are mended all the same.
  for (const line of lines.filter((each) => each.startsWith("sed"))) await machine.run(["bash", "-c", line]);
  expect((await diagnose(machine))("environment").level).toBe("ok");
  expect(machine.read(join(machine.home, "other.env"))).toBe("A=b\n");
});
