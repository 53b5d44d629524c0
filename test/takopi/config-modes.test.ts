import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createMachine, type Machine } from "../support/machine.js";

const botToken = "123456789:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1";
const telegram = (login: string) =>
  `transport = "telegram"\n[transports.telegram]\n${login}\nchat_id = -100\nallowed_user_ids = [42]\n`;

/** A machine whose takopi.toml has a mode, and whose refresh script says that it ran. */
async function createOpenMachine(text: string, mode: number) {
  const machine = await createMachine();
  const ran = join(machine.root, "ran");
  machine.write(machine.paths.refreshScript, `#!/bin/sh\ntouch '${ran}'\n`, 0o755);
  machine.write(machine.paths.takopiConfig, text, mode);
  return { machine, hasRun: () => existsSync(ran) };
}

/** `/ghauth refresh` as the Takopi shim asks for it. */
async function askToRefresh(machine: Machine, fields: Record<string, unknown>): Promise<unknown> {
  const request = { v: 1, args: ["refresh"], config_path: machine.paths.takopiConfig, ...fields };
  const { exitCode, stdout } = await machine.ghauth(["command"], { input: JSON.stringify(request) });
  expect(exitCode).toBe(0);
  return JSON.parse(stdout).text;
}

describe.concurrent("a takopi.toml that others can change, or read a bot token in", () => {
  test.each([
    ["writable by its group", 0o620, "", /takopi\.toml can be changed by others \(mode 0620\), and it names/],
    ["writable by all", 0o602, "", /takopi\.toml can be changed by others \(mode 0602\)/],
    [
      "readable by all, with a bot token",
      0o644,
      `bot_token = "${botToken}"`,
      /takopi\.toml can be read by others \(mode 0644\), and it holds a bot token/,
    ],
    ["readable by its group, with a bot token", 0o640, `bot_token = "${botToken}"`, /can be read by others/],
  ])("%s: refused with what to do, and no script is run", async (_what, mode, login, complaint) => {
    const { machine, hasRun } = await createOpenMachine(telegram(login), mode);
    await using _ = machine;
    for (const verb of ["run", "refresh", "status"]) {
      const { exitCode, stdout, stderr } = await machine.ghauth([verb]);
      expect({ verb, exitCode, stdout }).toEqual({ verb, exitCode: 78, stdout: "" });
      expect(stderr).toMatch(complaint);
      expect(stderr).toMatch(/run chmod 600 '.*\/\.takopi\/takopi\.toml'\.\n$/);
      expect(stderr).not.toContain(botToken);
    }
    for (const fields of [
      { sender_id: "42" },
      { sender_id: null, plugin_config: { allow_unknown_sender_refresh: true } },
    ])
      expect(await askToRefresh(machine, fields)).toMatch(complaint);
    expect(hasRun()).toBe(false);
    expect(await machine.ghauth(["help"])).toMatchObject({ exitCode: 0, stderr: "" });
  });

  test.each([
    ["without a bot token", ""],
    ["with a bot token in a file", 'bot_token_file = "~/token"'],
    ["with a bot token in the environment", 'bot_token_env = "TOKEN"'],
  ])("readable by all, %s: fine", async (_what, login) => {
    const { machine, hasRun } = await createOpenMachine(telegram(login), 0o644);
    await using _ = machine;
    expect(await machine.ghauth(["refresh"])).toMatchObject({ exitCode: 0 });
    expect(hasRun()).toBe(true);
    expect(await askToRefresh(machine, { sender_id: "42" })).toMatch(/^Refresh succeeded\./);
  });
});
