import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

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

test("the demo answers piped lines one by one", async () => {
  const { exitCode, stdout } = await runDemo("/ghauth status\n/ghauth refresh\n/ghauth status\n");
  expect(exitCode).toBe(0);
  expect(stdout).not.toContain("> /ghauth");
  expect(stdout).toMatch(
    /token: missing[\s\S]+Refresh succeeded\.[\s\S]+token: fresh\nprefix: .*\nsha256: .*\nage: .*\ntime left: 59 minutes/,
  );
});
