import { describe, expect, test } from "vitest";
import { readLastRefresh } from "../../src/token/refresh-log.js";
import { createMachine, executables, type Machine } from "../support/machine.js";

/** `/ghauth refresh` by way of Takopi: a process of its own. */
async function refreshByTakopi(machine: Machine, plugin_config = {}): Promise<string> {
  machine.write(machine.paths.takopiConfig, 'transport = "telegram"\n[transports.telegram]\nchat_id = 42\n');
  const request = {
    v: 1,
    args: ["refresh"],
    channel_id: "42",
    sender_id: "42",
    plugin_config: { refresh_script: executables.refresh, refresh_cooldown_seconds: 3600, ...plugin_config },
    config_path: machine.paths.takopiConfig,
  };
  const { stdout } = await machine.ghauth(["command"], { input: JSON.stringify(request) });
  const [sentence = ""] = JSON.parse(stdout).text.split("\n");
  return sentence;
}

const waits = /^The token was refreshed \d+ s ago: wait \d+ s before the next refresh\.$/;
const succeeds = /^Refresh succeeded\.$/;

describe.concurrent("the cooldown, between processes", () => {
  test("a refresh from chat that succeeded makes the next one wait, but no terminal", async () => {
    await using machine = await createMachine();
    expect(await refreshByTakopi(machine)).toMatch(succeeds);
    expect(await refreshByTakopi(machine)).toMatch(waits);
    machine.write(machine.paths.refreshScript, `#!/bin/sh\nexec '${executables.refresh}' "$@"\n`, 0o755);
    expect((await machine.ghauth(["refresh"])).exitCode).toBe(0);
    expect(machine.log()).toMatchObject([{ trigger: "chat" }, { trigger: "terminal" }]);
  });

  test("a timer's or a terminal's, one that failed, and one long ago or yet to come make nobody wait", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    await machine.refresh({ args: ["--force"], env: { GHAUTH_TRIGGER: "terminal" } });
    const line = readLastRefresh(machine.paths.refreshLog);
    const logged = (changes: object) => `${JSON.stringify({ ...line, trigger: "chat", ...changes })}\n`;
    const at = (seconds: number) => new Date(Date.now() + seconds * 1000).toISOString();
    machine.write(
      machine.paths.refreshLog,
      machine.read(machine.paths.refreshLog) +
        logged({ at: at(-7200) }) +
        logged({ ok: false, exit: 75, code: "github_unreachable" }) +
        logged({ at: at(600) }),
      0o600,
    );
    expect(await refreshByTakopi(machine)).toMatch(succeeds);
  });

  test("refresh_cooldown_seconds = 0 is none", async () => {
    await using machine = await createMachine();
    const none = { refresh_cooldown_seconds: 0 };
    expect(await refreshByTakopi(machine, none)).toMatch(succeeds);
    expect(await refreshByTakopi(machine, none)).toMatch(succeeds);
  });
});
