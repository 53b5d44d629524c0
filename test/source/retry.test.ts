import { expect, test } from "vitest";
import { GhauthError } from "../../src/errors.js";
import { retry } from "../../src/source/retry.js";
import { createVirtualClock } from "../support/in-process.js";

const outage = (retryAfterMs?: number) =>
  new GhauthError("github_unavailable", "away", retryAfterMs === undefined ? {} : { retryAfterMs });

/** Fails with these, one after the other, then succeeds. */
function failing(...errors: unknown[]): () => Promise<string> {
  return async () => {
    const error = errors.shift();
    if (error !== undefined) throw error;
    return "done";
  };
}

test("the waits grow exponentially up to 10 s, spread by full jitter", async () => {
  const clock = createVirtualClock();
  const errors = Array.from({ length: 7 }, () => outage());

  await retry({ clock, random: () => 1 }, { deadlineMs: 60_000 }, failing(...errors));

  expect(clock.slept).toEqual([500, 1000, 2000, 4000, 8000, 10_000, 10_000]);
  const halved = createVirtualClock();
  await retry({ clock: halved, random: () => 0.5 }, { deadlineMs: 60_000 }, failing(outage(), outage()));
  expect(halved.slept).toEqual([250, 500]);
});

test("a wait that GitHub asks for is kept, jitter comes on top", async () => {
  const clock = createVirtualClock();

  await retry({ clock, random: () => 0.5 }, { deadlineMs: 60_000 }, failing(outage(7000)));

  expect(clock.slept).toEqual([7250]);
});

test("a wait that outlasts the deadline is not begun", async () => {
  const clock = createVirtualClock();

  await expect(
    retry({ clock, random: () => 0 }, { deadlineMs: 60_000 }, failing(outage(60_000))),
  ).rejects.toThrow("away");
  expect(clock.slept).toEqual([]);
});

test("the last failure comes out when the time is up", async () => {
  const clock = createVirtualClock();
  const errors = Array.from({ length: 99 }, (_, index) => new GhauthError("rate_limited", `no. ${index}`));

  await expect(retry({ clock, random: () => 1 }, { deadlineMs: 4000 }, failing(...errors))).rejects.toThrow(
    "no. 3",
  );
  expect(clock.slept).toEqual([500, 1000, 2000]);
});

test.for([
  ["what a person must fix", new GhauthError("key_mismatch", "wrong key")],
  ["a refused clock", new GhauthError("clock_refused", "wrong time")],
  ["a fault of the program", new TypeError("undefined is not a function")],
] as const)("%s is not tried again", async ([, error]) => {
  const clock = createVirtualClock();

  await expect(retry({ clock, random: () => 0 }, { deadlineMs: 60_000 }, failing(error))).rejects.toThrow(
    error.message,
  );
  expect(clock.slept).toEqual([]);
});
