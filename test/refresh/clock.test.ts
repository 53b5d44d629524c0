import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";
import { refreshInProcess } from "../support/in-process.js";

const dayMs = 24 * 60 * 60 * 1000;

test.for([
  { host: "a day slow", offsetMs: dayMs, says: /clock is (?:24 h 0|23 h 59) min behind GitHub's/ },
  { host: "a day fast", offsetMs: -dayMs, says: /clock is (?:24 h 0|23 h 59) min ahead of GitHub's/ },
])("a host whose clock is $host mints, with one more signature, and says so", async ({ offsetMs, says }) => {
  await using machine = await createMachine();
  machine.github.setClockOffset(offsetMs);

  const { exitCode, stdout } = await machine.refresh();

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.stringMatching(says) });
  expect(machine.log()).toMatchObject([{ ok: true, sentence: expect.stringMatching(says) }]);
  expect(machine.github.requests.map(({ method, status }) => `${method} ${status}`)).toEqual([
    "POST 401",
    "POST 201",
    "GET 200",
  ]);
  expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
});

test("the expiry in the file is on the host's own clock, however wrong that is", async () => {
  await using machine = await createMachine();
  machine.github.setClockOffset(dayMs);
  const before = Math.floor(Date.now() / 1000);

  await refreshInProcess(machine);

  const epoch = Number(/EXPIRES_EPOCH=(\d+)/.exec(machine.read(machine.paths.tokenEnvFile))?.[1]);
  expect(epoch).toBeGreaterThanOrEqual(before + 3598);
  expect(epoch).toBeLessThanOrEqual(Date.now() / 1000 + 3600);
});

test.for(["exp_too_far", "exp_not_future", "iat_invalid"] as const)(
  "%s is answered with one more signature, and the token is minted",
  async (refusal) => {
    await using machine = await createMachine();
    machine.github.refuse(refusal);

    expect(await refreshInProcess(machine)).toMatchObject({ ok: true });
    expect(machine.github.requests.map(({ status }) => status)).toEqual([401, 201, 200]);
  },
);

test("a GitHub that refuses the time even by its own clock is asked twice, not for ever", async () => {
  await using machine = await createMachine();
  machine.github.refuse("exp_too_far", { times: Infinity });

  expect(await refreshInProcess(machine)).toMatchObject({
    code: "clock_refused",
    exit: 75,
    sentence: expect.stringContaining("set this host's clock (timedatectl)"),
  });
  expect(machine.github.requests).toHaveLength(2);
});

test("a clock that is off by seconds is nobody's business", async () => {
  await using machine = await createMachine();
  machine.github.setClockOffset(20_000);

  const report = await refreshInProcess(machine);

  expect(report).toMatchObject({ code: "refreshed", sentence: expect.not.stringContaining("clock") });
});
