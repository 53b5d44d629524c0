import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apply, createSoundMachine, diagnose } from "../../support/doctor.js";

const labels =
  "config,token,refresh script,last refresh,key,timer,linger,environment,git helper,git remotes,gh,chat,leftovers,clock,github";

test("text and JSON say the same, in Takopi's form, within 5 s", async () => {
  await using machine = await createSoundMachine();
  rmSync(machine.paths.privateKey);
  const { stdout, exitCode } = await machine.ghauth(["doctor"]);
  const json = await machine.ghauth(["doctor", "--json"]);
  expect([exitCode, json.exitCode]).toEqual([1, 1]);
  const { checks } = JSON.parse(json.stdout);
  expect(Object.keys(JSON.parse(json.stdout))).toEqual(["checks"]);
  expect(checks.map(({ label }: { label: string }) => label).join()).toBe(labels);
  const lines = checks.map(({ label, level, detail, remedy, ...rest }: Record<string, string | null>) => {
    expect(rest).toEqual({});
    const mending = remedy === null ? "" : `\n${remedy}`.replaceAll("\n", "\n    ");
    return `- ${label}: ${level} (${detail})${mending}`;
  });
  expect(
    stdout
      .trimEnd()
      .split("\n")
      .slice(1)
      .join("\n")
      .replaceAll(/\d+ (?:seconds?|min)/g, ""),
  ).toBe(lines.join("\n").replaceAll(/\d+ (?:seconds?|min)/g, ""));
});

test("a refresh script that does not answer makes its checks warnings", async () => {
  await using machine = await createSoundMachine();
  machine.write(join(machine.home, "slow"), "#!/bin/sh\nexec sleep 30\n", 0o700);
  machine.write(machine.paths.takopiConfig, '[plugins.ghauth]\nrefresh_script = "~/slow"\n');
  const startedAt = Date.now();
  const found = await diagnose(machine);
  expect(Date.now() - startedAt).toBeLessThan(5_000);
  expect(found("github")).toMatchObject({ level: "warning", detail: "not known: no answer within 3 s" });
  expect(found("clock").level).toBe("warning");
});

test("in chat what is wrong comes first, and who may not refresh may not ask", async () => {
  await using machine = await createSoundMachine();
  rmSync(machine.paths.privateKey);
  machine.write(
    machine.paths.takopiConfig,
    'transport = "telegram"\n[transports.telegram]\nbot_token = "12345678:AAsomething"\nchat_id = -5\nallowed_user_ids = [7]\n',
  );
  const ask = async (sender_id: string) => {
    const request = {
      v: 1,
      args: ["doctor"],
      args_text: "doctor",
      channel_id: "-5",
      thread_id: null,
      sender_id,
    };
    const config = { plugin_config: {}, config_path: machine.paths.takopiConfig };
    const { stdout } = await machine.ghauth(["command"], {
      input: JSON.stringify({ ...request, ...config }),
    });
    return String(JSON.parse(stdout).text);
  };
  expect(await ask("8")).toMatch(/^You may not run \/ghauth doctor/);
  const text = await ask("7");
  expect(text).toMatch(/^ghauth doctor \(.+\): \d+ errors?/);
  expect(text.split("\n")[1]).toMatch(/^- key: error \(there is no /);
});

test("Takopi's shim that uv has taken away is found", async () => {
  await using machine = await createSoundMachine();
  const tool = join(machine.home, "tools/takopi");
  const packages = join(tool, "lib/python3.14/site-packages");
  for (const name of ["takopi", "takopi_ghauth"]) mkdirSync(join(packages, name), { recursive: true });
  machine.write(join(tool, "uv-receipt.toml"), "");
  machine.write(join(machine.home, ".local/lib/takopi-ghauth/takopi-tool"), `${tool}\n`);
  const installer = join(machine.home, ".local/lib/takopi-ghauth/current/scripts/install_local.sh");
  machine.write(installer, `#!/bin/sh\nmkdir -p '${join(packages, "takopi_ghauth")}'\n`, 0o700);
  expect((await diagnose(machine))("chat")).toMatchObject({ level: "ok" });

  rmSync(join(packages, "takopi_ghauth"), { recursive: true });
  const lost = (await diagnose(machine))("chat");
  expect(lost).toMatchObject({ level: "error", detail: expect.stringContaining("has lost /ghauth") });
  expect(lost.remedy).toBe(`'${installer}'`);
  await apply(machine, lost.remedy);
  expect((await diagnose(machine))("chat")).toMatchObject({ level: "ok" });
});

test("GitHub is heard by way of the refresh script, which mints nothing", async () => {
  await using machine = await createSoundMachine();
  const { mints } = machine.github;
  const well = await diagnose(machine);
  expect(well("clock")).toMatchObject({ level: "ok", remedy: null });
  expect(well("github")).toMatchObject({
    level: "ok",
    detail: expect.stringMatching(/^2 repositories, \d+ of \d+ calls left/),
  });
  expect(machine.github.mints).toBe(mints);

  machine.github.revoke(machine.heldToken() ?? "");
  const refused = (await diagnose(machine))("github");
  expect(refused.level).not.toBe("ok");
  expect(refused.detail).toMatch(/The held token/);
});
