import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import { problemsOfTimer } from "../../src/ghauth/timer-problems.js";
import { systemClock } from "../../src/system/clock.js";
import { parseTimer } from "../../src/system/systemd-timer.js";
import { createMachine, type Machine } from "../support/machine.js";

const timerBlock = {
  Id: "takopi-github-token-refresh.timer",
  LoadState: "loaded",
  ActiveState: "active",
  SubState: "waiting",
  UnitFileState: "enabled",
  NextElapseUSecRealtime: "Sun 2026-11-22 00:01:11 UTC",
  LastTriggerUSec: "Sat 2026-11-21 23:16:11 UTC",
  Result: "success",
};
const serviceBlock = {
  Id: "takopi-github-token-refresh.service",
  LoadState: "loaded",
  ActiveState: "inactive",
  SubState: "dead",
  UnitFileState: "static",
  ExecMainStartTimestamp: "Sat 2026-11-21 23:16:11 UTC",
  ExecMainExitTimestamp: "Sat 2026-11-21 23:16:12 UTC",
  ExecMainStatus: "0",
  Result: "success",
};
const calendars = ["02/3:15:00", "01/3:30:00", "00/3:45:00", "00/3:00:00"].map(
  (at) => `TimersCalendar={ OnCalendar=*-*-* ${at} ; next_elapse=Sun 2026-11-22 02:15:00 UTC }`,
);

function block(properties: object): string[] {
  return Object.entries(properties).map(([name, value]) => `${name}=${value}`);
}

/** What `systemctl show` prints of the two units. */
function shown(timer: Partial<typeof timerBlock> = {}, service: Partial<typeof serviceBlock> = {}): string {
  return [
    ...calendars,
    ...block({ ...timerBlock, ...timer }),
    "",
    ...block({ ...serviceBlock, ...service }),
    "",
  ].join("\n");
}

const lastRefresh = {
  at: "2026-11-21T23:16:12.000Z",
  trigger: "timer",
  by: null,
  ok: true,
  ms: 90,
  code: "refreshed",
  exit: 0,
  sentence: "Refreshed.",
  expires_at: null,
  sha256: null,
  rate_limit: null,
  refused_at: null,
};

describe("what systemctl shows", () => {
  test("of a timer that works, there is nothing to do", () => {
    const timer = parseTimer(shown(), null);

    expect(timer).toEqual({
      type: "installed",
      enabled: true,
      active: true,
      calendar: ["*-*-* 02/3:15:00", "*-*-* 01/3:30:00", "*-*-* 00/3:45:00", "*-*-* 00/3:00:00"],
      nextAt: new Date("2026-11-22T00:01:11Z"),
      lastAt: new Date("2026-11-21T23:16:11Z"),
      lastResult: "success",
      lastExitStatus: 0,
      lastEndedAt: new Date("2026-11-21T23:16:12Z"),
      retrying: false,
      failed: false,
      notLingering: null,
    });
    expect(problemsOfTimer(timer, lastRefresh)).toEqual([]);
  });

  test("after a reboot the timer remembers its last run, and nobody its result", () => {
    const service = { ExecMainStartTimestamp: "", ExecMainExitTimestamp: "" };

    expect(parseTimer(shown({}, service), null)).toMatchObject({
      lastAt: new Date("2026-11-21T23:16:11Z"),
      lastResult: null,
    });
  });

  test("a run by hand after the last tick is the last run", () => {
    const service = {
      ExecMainStartTimestamp: "Sat 2026-11-21 23:30:00 UTC",
      SubState: "start",
      ActiveState: "activating",
    };

    expect(parseTimer(shown({ LastTriggerUSec: "n/a" }, service), null)).toMatchObject({
      lastAt: new Date("2026-11-21T23:30:00Z"),
      lastResult: "running",
    });
  });

  const failed = { ActiveState: "failed", Result: "exit-code" };
  test.each([
    {
      what: "a timer that was stopped",
      timer: { ActiveState: "inactive" },
      sentence: /not active.*enable --now takopi-github-token-refresh\.timer/,
    },
    {
      what: "a timer that a reboot would end",
      timer: { UnitFileState: "disabled" },
      sentence: /gone after a reboot/,
    },
    {
      what: "a failure that a person must end",
      service: { ...failed, ExecMainStatus: "78" },
      sentence: /status 78.*a person must change something.*start takopi-github-token-refresh\.service/,
    },
    {
      what: "a node that is gone",
      service: { ...failed, ExecMainStatus: "127" },
      sentence: /bootstrap_user_refresh\.sh again/,
    },
    {
      what: "a timeout",
      service: { ...failed, Result: "timeout", ExecMainStatus: "15" },
      sentence: /timeout, status 15.*journalctl --user/,
    },
  ])("$what is a problem with a way out", ({ timer = {}, service = {}, sentence }) => {
    const problems = problemsOfTimer(parseTimer(shown(timer, service), null), null);

    expect(problems).toEqual([expect.stringMatching(sentence)]);
  });

  test("a failure is no problem any more once a later refresh succeeded", () => {
    const timer = parseTimer(shown({}, { ActiveState: "failed", ExecMainStatus: "78" }), null);

    expect(problemsOfTimer(timer, { ...lastRefresh, at: "2026-11-21T23:17:00.000Z" })).toEqual([]);
    expect(problemsOfTimer(timer, { ...lastRefresh, at: "2026-11-21T23:15:00.000Z" })).toHaveLength(1);
  });
});

/** An environment with a `systemctl` that does as the script says. */
function withSystemctl(machine: Machine, script: string): Record<string, string> {
  const directory = join(machine.root, "bin");
  machine.write(join(directory, "systemctl"), `#!/bin/sh\n${script}\n`, 0o755);
  return { PATH: `${directory}:${machine.env["PATH"]}`, XDG_RUNTIME_DIR: machine.root };
}

describe("ghauth status and flow", () => {
  test("without a user manager they say so, and it is no problem by itself", async () => {
    await using machine = await createMachine();
    await machine.refresh();

    const bare = await machine.ghauth(["status"]);
    const elsewhere = await machine.ghauth(["status"], { env: { XDG_RUNTIME_DIR: machine.root } });
    const json = await machine.ghauth(["status", "--json"]);

    expect(bare.stdout).toContain("timer: cannot be seen from here: XDG_RUNTIME_DIR is not set\n");
    expect(elsewhere.stdout).toMatch(
      /^timer: cannot be seen from here: (?:no user manager answers|systemctl is not)/m,
    );
    expect([bare, elsewhere, json].map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
    expect(JSON.parse(json.stdout)).toMatchObject({ timer: null, problems: [] });
  });

  test("without the timer they say what to run", async () => {
    await using machine = await createMachine();
    const env = withSystemctl(machine, `echo "Id=takopi-github-token-refresh.timer\nLoadState=not-found"`);

    const { stdout } = await machine.ghauth(["status"], { env });

    expect(stdout).toContain("timer: not installed\n");
    expect(stdout).toContain("- No refresh timer is installed for this user: run bootstrap_user_refresh.sh.");
  });

  test("a manager that hangs costs two seconds, not the answer", async () => {
    await using machine = await createMachine();
    const env = withSystemctl(machine, "exec sleep 60");

    const { stdout } = await machine.ghauth(["flow"], { env });

    expect(stdout).toContain("timer: cannot be seen from here: systemctl did not answer within 2 s");
  });

  test("300 at once ask the manager once; who comes a second later, anew", async () => {
    await using machine = await createMachine();
    const asked = join(machine.root, "asked");
    const env = withSystemctl(machine, `echo asked >> '${asked}'; exec cat <<'E'\n${shown()}\nE`);
    let elapsedMs = 5;
    const command = createGhauthCommand({
      clock: { ...systemClock, elapsedMs: () => elapsedMs },
      env: { ...machine.env, ...env },
    });
    const context = { pluginConfig: {}, configPath: null };
    const count = () => machine.read(asked).split("asked").length - 1;

    const all = await Promise.all(Array.from({ length: 300 }, async () => command.status(context)));
    expect(new Set(all.map(({ timer }) => timer?.active))).toEqual(new Set([true]));
    expect(count()).toBe(1);

    elapsedMs += 999;
    await command.status(context);
    expect(count()).toBe(1);
    elapsedMs += 1;
    await command.status(context);
    expect(count()).toBe(2);
  });

  test("a schedule that somebody changed is shown as it is", async () => {
    await using machine = await createMachine();
    const changed = shown().replaceAll(/^TimersCalendar=.*\n/gm, "");
    const line = "TimersCalendar={ OnCalendar=*-*-* *:00/30:00 ; next_elapse=Sun 2026-11-22 00:00:00 UTC }";
    const env = withSystemctl(machine, `cat <<'E'\n${line}\n${changed}\nE`);

    const { stdout } = await machine.ghauth(["flow"], { env });

    expect(stdout).toContain("schedule: at *-*-* *:00/30:00\n");
    expect(stdout).toMatch(/^next run: in .* \(2026-11-22 00:01:11 UTC\)$/m);
  });

  test("GHAUTH_RUN_REFRESH_WITH stands in for run_refresh_with, and knows the timeout", async () => {
    await using machine = await createMachine();
    machine.write(
      machine.paths.takopiConfig,
      `[plugins.ghauth]\nrefresh_script = "/the/script"\nrefresh_timeout_seconds = 12\n`,
    );
    const env = { GHAUTH_RUN_REFRESH_WITH: "echo 'a word' max={refresh_timeout_seconds}" };

    const { stdout } = await machine.ghauth(["refresh"], { env });
    const unclosed = await machine.ghauth(["refresh"], { env: { GHAUTH_RUN_REFRESH_WITH: "echo 'a" } });

    expect(stdout).toContain("a word max=12 /the/script\n");
    expect(unclosed).toMatchObject({
      exitCode: 78,
      stderr: expect.stringContaining("GHAUTH_RUN_REFRESH_WITH"),
    });
  });
});
