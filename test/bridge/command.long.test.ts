import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

test("a request that never ends is given up, in case its caller hangs", async () => {
  await using machine = await createMachine();
  const command = machine.startGhauth(["command"]);
  command.write('{"v":1,');
  const { exitCode, stdout } = await command.ended;
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout).text).toMatch(/^error:\nNo whole request came on stdin within 5 s: /);
});
