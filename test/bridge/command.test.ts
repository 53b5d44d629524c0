import { existsSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseShimRequest } from "../../src/cli/shim-request.js";
import { refusalOf } from "../../src/cli/shim-access.js";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import { systemClock } from "../../src/system/clock.js";
import { createMachine, executables, expectNoSecret, type Machine } from "../support/machine.js";

const planted = `ghs_${"Planted9".repeat(6)}`;

type Fields = Record<string, unknown>;
const request = (fields: Fields = {}) => ({
  v: 1,
  args: ["status"],
  args_text: "status",
  channel_id: "-100",
  thread_id: null,
  sender_id: "42",
  plugin_config: {},
  config_path: null,
  ...fields,
});

const withoutLog = (stderr: string) => stderr.replaceAll(/^\{"level":"info",.*\n/gm, "");

const ask = async (machine: Machine, input: string | Buffer) => {
  const { exitCode, stdout, stderr } = await machine.ghauth(["command"], { input });
  expect({ exitCode, said: withoutLog(stderr) }).toEqual({ exitCode: 0, said: "" });
  return JSON.parse(stdout);
};

/** Who may run refresh, asked without a process each. */
function mayRefresh(machine: Machine, fields: Fields): boolean | string {
  const parsed = parseShimRequest(JSON.stringify(request({ args: ["Refresh"], ...fields })));
  const command = createGhauthCommand({ clock: systemClock, env: machine.env });
  const refusal = refusalOf(parsed, { command, env: machine.env });
  return refusal === null || refusal;
}

const refused = expect.stringMatching(/^You may not run \/ghauth refresh: /);
const telegram = (rest: string) => `transport = "telegram"\n[transports.telegram]\n${rest}\n`;
const discord = (rest: string) => `transport = "discord"\n[transports.discord]\n${rest}\n`;

describe.concurrent("ghauth command", () => {
  test("answers a request with one JSON object, from the request's own configuration", async () => {
    await using machine = await createMachine();
    const plugin_config = { token_env_file: "~/elsewhere.env", cli: ["ghauth"] };
    expect(await ask(machine, JSON.stringify(request({ plugin_config, args: ["flow"] })))).toEqual({
      text: expect.stringContaining("~/elsewhere.env"),
      notify: true,
    });
    const wrong = await ask(machine, JSON.stringify(request({ plugin_config: { tokn: planted } })));
    expect(wrong.text).toMatch(/^error:\n.*plugins\.ghauth\.tokn is not known; the keys are /);
  });

  test("allowed users refresh, others are refused, and both see the status", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, telegram("chat_id = -100\nallowed_user_ids = [42]"));
    const plugin_config = { refresh_script: executables.refresh };
    const refresh = { args: ["refresh"], plugin_config, config_path: machine.paths.takopiConfig };
    const stranger = await ask(machine, JSON.stringify(request({ ...refresh, sender_id: 43 })));
    expect(stranger).toEqual({ text: refused, notify: true });
    expect(machine.github.mints).toBe(0);
    const allowed = await ask(machine, JSON.stringify(request(refresh)));
    expect(allowed.text).toMatch(/^Refresh succeeded\./);
    const status = await ask(machine, JSON.stringify(request({ sender_id: 43 })));
    expect(status.text).toMatch(/^GitHub token: fresh/);
  });

  test("revoke is confirmed by a second request of the same user, each a process of its own", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const held = machine.heldToken() ?? "";
    machine.write(machine.paths.takopiConfig, telegram("chat_id = -100\nallowed_user_ids = [42, 44]"));
    const plugin_config = { refresh_script: executables.refresh };
    const revoke = (sender_id: number) =>
      request({
        args: ["revoke"],
        args_text: "revoke",
        plugin_config,
        config_path: machine.paths.takopiConfig,
        transport: "telegram",
        sender_id,
      });
    expect((await ask(machine, JSON.stringify(revoke(43)))).text).toMatch(/^You may not run \/ghauth revoke/);
    for (const sender of [42, 44])
      expect((await ask(machine, JSON.stringify(revoke(sender)))).text).toMatch(
        /^Revoke the GitHub token of /,
      );
    expect(machine.github.isLive(held)).toBe(true);
    expect((await ask(machine, JSON.stringify(revoke(42)))).text).toMatch(/^Revoke succeeded\./);
    expect(machine.github.isLive(held)).toBe(false);
    expect(machine.log().at(-1)).toMatchObject({ by: "telegram:42", trigger: "chat" });
  });

  test("a pasted token is answered by advice, whoever sent it", async () => {
    await using machine = await createMachine();
    const pasted = request({ args: ["revoke", planted], args_text: `revoke ${planted}`, sender_id: 43 });
    const { text } = await ask(machine, JSON.stringify(pasted));
    expect(text).toMatch(
      /^That message seems to hold a token or a key\. Nothing was run\.\n- .* delete it yourself\./,
    );
    expectNoSecret(text, [planted]);
  });

  test.for<[string, string, Fields, boolean]>([
    ["an allowed user", telegram("chat_id = -100\nallowed_user_ids = [42]"), {}, true],
    ["an allowed user in a project's chat", telegram("chat_id = 1\nallowed_user_ids = [42]"), {}, true],
    ["the configured private chat's user", telegram("chat_id = 42"), { channel_id: 42 }, true],
    ["another private chat's user", telegram("chat_id = 43"), { channel_id: 42 }, false],
    ["anybody, where nobody is allowed", telegram("chat_id = -100"), {}, false],
    ["a stranger", telegram("chat_id = -100\nallowed_user_ids = [42]"), { sender_id: 43 }, false],
    [
      "an allowed user of another transport",
      `${discord("")}[transports.telegram]\nchat_id = -100\nallowed_user_ids = [42]`,
      {},
      false,
    ],
    [
      "an allowed user of Discord",
      discord("guild_id = 12345678901234567890\nallowed_user_ids = [42]"),
      {},
      true,
    ],
    [
      "Takopi's own transport, unnamed",
      telegram("chat_id = -100\nallowed_user_ids = [42]").replace(/.*\n/, ""),
      {},
      true,
    ],
  ])("%s", async ([, config, fields, may]) => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, config);
    expect(mayRefresh(machine, fields)).toEqual(may || refused);
  });

  test("lists that cannot be read allow nobody, and the answer says why", async () => {
    await using machine = await createMachine();
    expect(mayRefresh(machine, {})).toMatch(/^error:\nThere is no configuration at /);
    machine.write(machine.paths.takopiConfig, `bot_token = "${planted}`);
    const broken = mayRefresh(machine, {});
    expect(broken).toMatch(/^error:\n.*takopi\.toml, line 1/);
    expectNoSecret(String(broken), [planted]);
    machine.write(machine.paths.takopiConfig, telegram(`chat_id = "${planted}"`));
    expect(mayRefresh(machine, {})).toMatch(/^error:\n.*transports\.telegram\.chat_id must be an id/);
    for (const transport of ['"slack"', '["telegram", "discord"]']) {
      machine.write(machine.paths.takopiConfig, `transport = ${transport}\n`);
      expect(mayRefresh(machine, {})).toMatch(
        /refresh needs a transport whose allowed users ghauth can read/,
      );
    }
  });

  test("an absent sender is unknown, whatever the lists say", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, telegram("chat_id = -100\nallowed_user_ids = [42]"));
    for (const sender_id of [null, undefined, ""])
      expect(mayRefresh(machine, { sender_id })).toMatch(/this transport does not say who asks/);
    const allow = (value: unknown) => ({
      sender_id: null,
      plugin_config: { allow_unknown_sender_refresh: value },
    });
    expect(mayRefresh(machine, allow("true"))).toMatch(/does not say who asks/);
    expect(mayRefresh(machine, allow(true))).toBe(true);
    expect(mayRefresh(machine, { ...allow(true), sender_id: "43" })).toEqual(refused);
  });

  test.for<[string, string | Buffer, RegExp]>([
    ["no JSON", `{"token":"${planted}`, /^error:\nThe request is not JSON\.$/],
    ["bytes", Buffer.from([0xff, 0xfe, 0]), /^error:\nThe request is not JSON\.$/],
    ["no object", `["${planted}"]`, /^error:\nThe request must be an object\.$/],
    [
      "another version",
      JSON.stringify(request({ v: 2 })),
      /whose v is 1: install the shim and ghauth of one version/,
    ],
    [
      "a rounded id",
      JSON.stringify(request()).replace('"42"', "12345678901234567890"),
      /whose sender_id is an id: /,
    ],
    ["too much", Buffer.alloc(300_000, planted), /^error:\nThe request is larger than 262144 bytes\.$/],
  ])("a request that is %s gets a sentence", async ([, input, sentence]) => {
    await using machine = await createMachine();
    const { text } = await ask(machine, input);
    expect(text).toMatch(sentence);
    expectNoSecret(text, [planted]);
  });

  test("where nothing was asked, or an option is given, it is called wrongly", async () => {
    await using machine = await createMachine();
    expect(await machine.ghauth(["command"], { input: "" })).toMatchObject({
      exitCode: 64,
      stdout: "",
      stderr: expect.stringContaining("answers one JSON request on stdin, and there was none"),
    });
    expect((await machine.ghauth(["command", "--what"])).exitCode).toBe(64);
  });
});

describe.concurrent("what the shim can show", () => {
  test("is answered in kind: Telegram's HTML and what can be done, where it is accepted", async () => {
    await using machine = await createMachine();
    const accepts = ["text", "telegram_html"];
    expect(await ask(machine, JSON.stringify(request({ accepts })))).toEqual({
      text: expect.stringMatching(/^GitHub token: missing/),
      notify: true,
      telegram_html: expect.stringMatching(/^<b>.*GitHub token: missing/),
      actions: ["refresh"],
    });
    expect(Object.keys(await ask(machine, JSON.stringify(request())))).toEqual(["text", "notify"]);
  });

  test("calls nobody, whatever a script says", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, telegram("chat_id = 42"));
    const says = "@everyone @here <@123> <@&456> a@example.org";
    machine.write(machine.paths.refreshScript, `#!/bin/sh\necho '${says}'\n`, 0o755);
    const { text, telegram_html } = await ask(
      machine,
      JSON.stringify(
        request({
          args: ["refresh"],
          channel_id: "42",
          accepts: ["telegram_html"],
          config_path: machine.paths.takopiConfig,
        }),
      ),
    );
    expect(text).toContain("@\u200Beveryone @\u200Bhere <\u200B@123> <\u200B@&456> a@example.org");
    expect(telegram_html).not.toMatch(/@everyone|@here/);
  });
});

test("ghauth command ends with whoever started it, and takes the script along", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.takopiConfig, telegram("chat_id = 42"));
  const pid = `${machine.root}/pid`;
  machine.write(
    machine.paths.refreshScript,
    `#!/bin/sh\ntrap '' TERM\necho $$ >'${pid}.new'; mv '${pid}.new' '${pid}'\nwhile :; do sleep 1000; done\n`,
    0o755,
  );
  const input = `${machine.root}/request`;
  const plugin_config = { refresh_timeout_seconds: 600 };
  const fields = {
    args: ["refresh"],
    channel_id: "42",
    plugin_config,
    config_path: machine.paths.takopiConfig,
  };
  machine.write(input, JSON.stringify(request(fields)));
  const parent = machine.start([
    "sh",
    "-c",
    `setsid '${process.execPath}' '${executables.ghauth}' command <'${input}' >'${machine.root}/answer' 2>&1 & wait`,
  ]);
  await expect.poll(() => existsSync(pid), { timeout: 30_000 }).toBe(true);
  await parent.stop("SIGKILL");
  await expect.poll(() => existsSync(`/proc/${machine.read(pid).trim()}`), { timeout: 10_000 }).toBe(false);
  expect(withoutLog(machine.read(`${machine.root}/answer`))).toBe("");
});

describe("who else may refresh inside Takopi", () => {
  const nobody = telegram("chat_id = -100");

  test("those whom refresh_user_ids names, under any transport; others hear of that list alone", async () => {
    await using machine = await createMachine();
    for (const config of [nobody, 'transport = "slack"\n']) {
      machine.write(machine.paths.takopiConfig, config);
      for (const id of [42, "42"])
        expect(mayRefresh(machine, { plugin_config: { refresh_user_ids: [id] } })).toBe(true);
    }
    machine.write(machine.paths.takopiConfig, nobody);
    expect(mayRefresh(machine, { plugin_config: { refresh_user_ids: [43] } })).toBe(
      "You may not run /ghauth refresh: ask an operator to run it, or to add your id, 42, to refresh_user_ids in [plugins.ghauth] of Takopi's configuration.",
    );
    expect(mayRefresh(machine, { plugin_config: { refresh_user_ids: 42 } })).toMatch(
      /^error:\n.*plugins\.ghauth\.refresh_user_ids must be a list of users' ids/,
    );
  });

  test("those whom Takopi's variables allow, in place of the file's list", async () => {
    await using machine = await createMachine();
    machine.write(machine.paths.takopiConfig, telegram("chat_id = -100\nallowed_user_ids = [43]"));
    const big = "12345678901234567890";
    machine.env["TAKOPI__TRANSPORTS__TELEGRAM__ALLOWED_USER_IDS"] = `[42, ${big}, "${big.slice(1)}"]`;
    expect(mayRefresh(machine, {})).toBe(true);
    expect(mayRefresh(machine, { sender_id: big })).toBe(true);
    expect(mayRefresh(machine, { sender_id: big.slice(1) })).toBe(true);
    expect(mayRefresh(machine, { sender_id: "43" })).toEqual(refused);
  });

  test("those of the transport that Takopi runs, whatever the file names", async () => {
    await using machine = await createMachine();
    machine.write(
      machine.paths.takopiConfig,
      `${nobody}[transports.discord]\nguild_id = 9\nallowed_user_ids = [42]\n`,
    );
    expect(mayRefresh(machine, { transport: "discord" })).toBe(true);
    expect(mayRefresh(machine, { transport: "telegram" })).toEqual(refused);
  });
});

test("stderr tells who asked for a refresh, and who was refused, in a line each; of a status nothing", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.takopiConfig, telegram("chat_id = -100\nallowed_user_ids = [42]"));
  const plugin_config = { refresh_script: executables.refresh };
  const more = { plugin_config, config_path: machine.paths.takopiConfig, transport: "telegram" };
  const stderrOf = async (fields: Fields) => {
    const input = JSON.stringify(request({ ...more, ...fields }));
    return (await machine.ghauth(["command"], { input })).stderr;
  };
  const asked = {
    level: "info",
    event: "command.asked",
    by: "telegram:42",
    channel: "-100",
    args: "refresh",
  };
  expect(JSON.parse(await stderrOf({ args: ["refresh"] }))).toMatchObject(asked);
  const refusedLine = { event: "command.refused", by: "telegram:43" };
  expect(JSON.parse(await stderrOf({ args: ["refresh"], sender_id: "43" }))).toMatchObject(refusedLine);
  expect(await stderrOf({})).toBe("");
});
