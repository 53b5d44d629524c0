import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { createMachine, executables, type Machine } from "../support/machine.js";
import { needsRoot } from "../support/needs.js";

const lockOf = (machine: Machine) => machine.paths.takopiConfig.replace(".toml", ".lock");
const ready = /"host\.started"/;

async function createConsoleMachine(): Promise<Machine> {
  const machine = await createMachine();
  machine.write(machine.paths.takopiConfig, 'transport = "console"\n');
  return machine;
}

test("of ten hosts that start at once over a stale lock, one serves", async () => {
  await using machine = await createConsoleMachine();
  machine.write(lockOf(machine), JSON.stringify({ pid: 999_999_999, token_fingerprint: null }));
  const hosts = Array.from({ length: 10 }, () => machine.startGhauth(["run"]));
  const losers: (number | null)[] = [];
  for (const host of hosts) void host.ended.then(({ exitCode }) => losers.push(exitCode));
  await expect.poll(() => losers.length).toBe(9);
  expect(losers).toEqual(Array.from({ length: 9 }, () => 75));
});

test("a host in another container, with process numbers of its own, is seen all the same", async (context) => {
  needsRoot(context);
  await using machine = await createConsoleMachine();
  const inContainer = [
    "unshare",
    "--pid",
    "--fork",
    "--kill-child",
    "--mount-proc",
    process.execPath,
    executables.ghauth,
    "run",
  ] as const;
  const first = machine.start(inContainer);
  await first.waitFor(ready);
  // Its number there is 1, as the second one's will be.
  expect(JSON.parse(machine.read(lockOf(machine)))).toMatchObject({ pid: 1 });
  expect(await machine.run(inContainer)).toMatchObject({ exitCode: 75 });
  expect(await machine.ghauth(["run"])).toMatchObject({
    exitCode: 75,
    stderr: expect.stringContaining("error: already running"),
  });

  first.end("");
  expect(await first.ended).toMatchObject({ exitCode: 0 });
  expect(existsSync(lockOf(machine))).toBe(false);
  expect(await machine.ghauth(["run"])).toMatchObject({ exitCode: 0 });
});

test("the lock of a host that was killed is free, and tells the next one's number", async () => {
  await using machine = await createConsoleMachine();
  const killed = machine.startGhauth(["run"]);
  await killed.waitFor(ready);
  const left = machine.read(lockOf(machine));
  expect(JSON.parse(left)).toEqual({
    pid: killed.pid,
    token_fingerprint: null,
    process: expect.stringMatching(/\/\d+$/),
  });
  await killed.stop("SIGKILL");
  expect(machine.read(lockOf(machine))).toBe(left);

  const next = machine.startGhauth(["run"]);
  await next.waitFor(ready);
  expect(JSON.parse(machine.read(lockOf(machine)))).toMatchObject({ pid: next.pid });
});
