import { expect, test } from "vitest";
import { liveThroughDay } from "../support/outage-day.js";
import { createRandom } from "../support/random.js";
import { createSidecarHost } from "../support/sidecar-host.js";
import { createVirtualTime } from "../support/virtual-sidecar.js";

const noon = new Date("2026-11-21T12:00:00Z");
const minute = 60_000;
const hour = 60 * minute;

test("a day with outages of 10 s, 20 min and 3 h: no short one costs a token, and 5 minutes after any there is one", async () => {
  const time = createVirtualTime(noon);
  await using host = await createSidecarHost({ now: time.now });
  // Begun when a refresh is due and 15 to 20 minutes are left, and when the token is young.
  const outages = [
    { fromMs: 44 * minute, lastsMs: 10_000 },
    { fromMs: 2 * hour + 50 * minute, lastsMs: 20 * minute },
    { fromMs: 5 * hour, lastsMs: 3 * hour },
    { fromMs: 11 * hour + 20 * minute, lastsMs: 20 * minute },
    { fromMs: 15 * hour, lastsMs: 10_000 },
    { fromMs: 18 * hour + 30 * minute, lastsMs: 3 * hour },
  ].map(({ fromMs, lastsMs }) => ({ fromMs, toMs: fromMs + lastsMs }));

  const day = await liveThroughDay(host, { time, outages, random: createRandom(20_261_121) });

  expect(day).toEqual({
    mints: expect.any(Number),
    failures: expect.any(Number),
    lateMs: [],
    costly: [],
  });
  expect(day.mints).toBeGreaterThan(20);
  expect(day.mints).toBeLessThan(40);
  expect(day.failures).toBeGreaterThan(40);
});

test("a day without outages takes fewer than 40 mints, and no moment is without a token", async () => {
  const time = createVirtualTime(noon);
  await using host = await createSidecarHost({ now: time.now });

  const day = await liveThroughDay(host, { time, outages: [], random: () => 0.999_999 });

  expect(day).toEqual({ mints: expect.any(Number), failures: 0, lateMs: [], costly: [] });
  expect(day.mints).toBeLessThan(40);
});
