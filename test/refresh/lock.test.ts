import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { skippedSentence } from "../../src/refresh/report.js";
import { createMachine, executables, type Machine } from "../support/machine.js";

const lockPath = (machine: Machine) => join(machine.home, ".local/state/takopi/github-token-refresh.lock");

/** Another process that holds the refresh lock until it is killed. */
async function holdLock(machine: Machine): Promise<ChildProcess> {
  mkdirSync(join(lockPath(machine), ".."), { recursive: true });
  const words = ["--exclusive", "--no-fork", lockPath(machine), "sh", "-c", "echo held; exec sleep 60"];
  const holder = spawn("flock", words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(holder.stdout, "data");
  return holder;
}

/** Counts the runs that have asked for a lock, by a `flock` that notes who calls it and does what the real one does. */
function countRuns(machine: Machine): () => number {
  const [bin, calls] = [join(machine.root, "noting"), join(machine.root, "calls")];
  machine.write(calls, "");
  machine.write(
    join(bin, "flock"),
    `#!/bin/sh\necho "$PPID" >>'${calls}'\nPATH=\${PATH#*:} exec flock "$@"\n`,
    0o755,
  );
  machine.env["PATH"] = `${bin}:${machine.env["PATH"]}`;
  return () => new Set(machine.read(calls).split("\n").filter(Boolean)).size;
}

const postsTo = (machine: Machine) =>
  machine.github.requests.filter(({ method }) => method === "POST").length;

test("ten scripts at once mint once, and the others say that another run did it", async () => {
  await using machine = await createMachine();
  const runs = countRuns(machine);
  const release = machine.github.hold();
  const running = Array.from({ length: 10 }, () => machine.refresh());
  // All ten are past their start while the first waits for GitHub.
  await expect.poll(() => postsTo(machine)).toBe(1);
  await expect.poll(runs).toBe(10);
  release();

  const results = await Promise.all(running);

  expect(results.map(({ exitCode }) => exitCode)).toEqual(Array.from({ length: 10 }, () => 0));
  expect(results.filter(({ stdout }) => stdout === `${skippedSentence}\n`)).toHaveLength(9);
  expect(machine.github.mints).toBe(1);
  expect(machine.log()).toHaveLength(1);
});

test("a forced run mints after another has published", async () => {
  await using machine = await createMachine();
  const runs = countRuns(machine);
  const release = machine.github.hold();
  const first = machine.refresh();
  await expect.poll(() => postsTo(machine)).toBe(1);
  const forced = machine.refresh({ args: ["--force"] });
  await expect.poll(runs).toBe(2);
  release();

  expect(await Promise.all([first, forced])).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
  expect(machine.github.mints).toBe(2);
});

test("runs one after the other each mint", async () => {
  await using machine = await createMachine();

  for (const mints of [1, 2, 3]) {
    expect(await machine.refresh()).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Refreshed/),
    });
    expect(machine.github.mints).toBe(mints);
  }
});

test("a caller that saw an older expiry gets the token that is there, one that saw this gets a new one", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const epoch = Number(/EXPIRES_EPOCH=(\d+)/.exec(machine.read(machine.paths.tokenEnvFile))?.[1]);
  const seen = async (value: string | number, args: string[] = []) => {
    const { exitCode, stdout } = await machine.refresh({ args, env: { GHAUTH_SEEN_EPOCH: String(value) } });
    expect(exitCode).toBe(0);
    return stdout.startsWith("Refreshed") ? "minted" : stdout.trim();
  };

  expect(await seen(epoch - 1)).toBe(skippedSentence);
  expect(await seen(0)).toBe(skippedSentence);
  expect(machine.github.mints).toBe(1);
  expect(await seen(epoch - 1, ["--force"])).toBe("minted");
  expect(await seen(epoch + 3600)).toBe("minted");
  expect(await seen("garbage")).toBe("minted");
});

test("an expired token is no reason to skip, whatever the caller saw", async () => {
  await using machine = await createMachine();
  machine.write(
    machine.paths.tokenEnvFile,
    "GITHUB_TOKEN=ghs_expired0\nGITHUB_TOKEN_EXPIRES_EPOCH=1000000000\n",
  );

  const { stdout } = await machine.refresh({ env: { GHAUTH_SEEN_EPOCH: "1" } });

  expect(stdout).toMatch(/^Refreshed/);
});

test("a holder that was killed blocks nobody", async () => {
  await using machine = await createMachine();
  const holder = await holdLock(machine);
  holder.kill("SIGKILL");
  await once(holder, "exit");

  expect(await machine.refresh()).toMatchObject({ exitCode: 0 });
});

test("a refresh that is killed while it mints blocks nobody, and the next one mints", async () => {
  await using machine = await createMachine();
  const release = machine.github.hold();
  const doomed = spawn(executables.refresh, { env: machine.env, stdio: "ignore" });
  await expect.poll(() => postsTo(machine)).toBe(1);
  doomed.kill("SIGKILL");
  await once(doomed, "exit");
  release();

  expect(await machine.refresh()).toMatchObject({ exitCode: 0 });
});

test("waiting for the lock counts towards the deadline, then 75", async () => {
  await using machine = await createMachine();
  const holder = await holdLock(machine);

  const { exitCode, stderr } = await machine.refresh({ env: { GHAUTH_REFRESH_DEADLINE_SECONDS: "0.5" } });

  holder.kill("SIGKILL");
  expect({ exitCode, stderr }).toEqual({
    exitCode: 75,
    stderr: expect.stringMatching(
      /^Another refresh has held .*refresh\.lock.*There is no valid token now\.\n$/,
    ),
  });
  expect(machine.log()).toMatchObject([{ code: "lock_timeout", exit: 75 }]);
  expect(machine.github.requests).toEqual([]);
});

test("a key that is no good is told at once, also while another run holds the lock", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.privateKey, "nonsense");
  const holder = await holdLock(machine);

  const { exitCode } = await machine.refresh();

  // Had it waited for the lock, it would have said so with 75.
  holder.kill("SIGKILL");
  expect(exitCode).toBe(78);
});

test("without flock the token is refreshed, with a warning", async () => {
  await using machine = await createMachine();
  const env = { PATH: "/nonexistent", GHAUTH_NODE: process.execPath };

  const { exitCode, stdout } = await machine.run(
    [process.execPath, join(executables.refresh, "../../dist/refresh/main.cjs")],
    { env },
  );

  expect(exitCode).toBe(0);
  expect(stdout).toContain("warning: flock (util-linux) is not installed");
  expect(machine.log()).toMatchObject([{ ok: true, code: "refreshed_with_warning", exit: 0 }]);
});

test("a run that is told to stop says and logs that the old token was kept", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const old = machine.heldToken();
  const release = machine.github.hold();
  const child = spawn(executables.refresh, { env: machine.env, stdio: ["ignore", "ignore", "pipe"] });
  const said: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => said.push(text));
  await expect.poll(() => postsTo(machine)).toBe(2);
  child.kill("SIGTERM");

  const [exitCode] = await once(child, "close");

  release();
  expect(exitCode).toBe(75);
  expect(said.join("")).toMatch(/^Stopped by SIGTERM before the refresh was done\. The old token was kept/);
  expect(machine.log().at(-1)).toMatchObject({ ok: false, code: "stopped", exit: 75 });
  expect(machine.heldToken()).toBe(old);
});
