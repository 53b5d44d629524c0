import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { createMachine, executables } from "../support/machine.js";

const runDemo = async (input: string) => {
  await using machine = await createMachine();
  const result = await machine.ghauth(["demo"], { input, env: { TMPDIR: machine.root } });
  return { ...result, leftBehind: readdirSync(machine.root) };
};

test("the demo plays flow, status, refresh, status and leaves nothing behind", async () => {
  const { exitCode, stdout, stderr, leftBehind } = await runDemo("");
  expect({ exitCode, stderr, leftBehind }).toEqual({
    exitCode: 0,
    stderr: "",
    leftBehind: ["home of tests"],
  });
  expect(stdout).toMatch(
    /^> \/ghauth flow\n[\s\S]+^> \/ghauth status\nGitHub token: missing\n[\s\S]+^> \/ghauth refresh\n[\s\S]+Refresh succeeded\.\n[\s\S]+^> \/ghauth status\nGitHub token: fresh\nprefix: ghs_1234…\n/m,
  );
});

test("the demo says nothing of a timer and a gh that it does not have", async () => {
  const { stdout } = await runDemo("");
  expect(stdout).not.toMatch(/timer|\bgh\b/i);
});

test("exit and quit end the demo, whatever comes after", async () => {
  for (const word of ["exit", "quit", "/exit", " Quit "]) {
    const { exitCode, stdout } = await runDemo(`${word}\n/ghauth status\n`);
    expect(exitCode).toBe(0);
    expect(stdout).not.toContain("GitHub token");
  }
});

test("the demo answers piped lines one by one", async () => {
  const { exitCode, stdout } = await runDemo("/ghauth status\n/ghauth refresh\n/ghauth status\n");
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain("> /ghauth");
  expect(stdout).toMatch(
    /token: missing[\s\S]+Refresh succeeded\.[\s\S]+token: fresh\nprefix: .*\nsha256: .*\nage: .*\ntime left: 59 minutes/,
  );
});

test.each(["SIGTERM", "SIGINT", "SIGHUP"])("%s ends the demo, and nothing is left behind", async (signal) => {
  await using machine = await createMachine();
  const { stdout } = await machine.run(
    [
      "bash",
      "-c",
      `mkfifo "$TMPDIR/in"; exec 8<>"$TMPDIR/in"; "$0" "$1" demo <"$TMPDIR/in" >"$TMPDIR/out" & demo=$!
until grep -q "try /ghauth help" "$TMPDIR/out" 2>/dev/null; do sleep 0.02; done
kill -${signal} $demo; wait $demo; rm "$TMPDIR/in" "$TMPDIR/out"; ls "$TMPDIR"`,
      process.execPath,
      executables.ghauth,
    ],
    { env: { TMPDIR: machine.root } },
  );
  expect(stdout.trim()).toBe("home of tests");
});
