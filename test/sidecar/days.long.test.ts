import { expect, test } from "vitest";
import { liveThroughDay } from "../support/outage-day.js";
import { createRandom } from "../support/random.js";
import { createSidecarHost } from "../support/sidecar-host.js";
import { createVirtualTime } from "../support/virtual-sidecar.js";

const seed = Number(process.env["CHAOS_SEED"] ?? 20_261_121);
const days = 60;
const minute = 60_000;
const lengths = [10_000, 20 * minute, 3 * 60 * minute, 55 * minute];

test(`${days} days of outages at any time (from seed ${seed}): no short one costs a token`, async () => {
  for (let number = 0; number < days; number++) {
    const random = createRandom(seed + number);
    const time = createVirtualTime(new Date("2026-11-21T12:00:00Z"));
    await using host = await createSidecarHost({ now: time.now });
    const outages = lengths.map((lastsMs, index) => {
      const fromMs = (index * 6 + random() * 2.9) * 60 * minute;
      return { fromMs, toMs: fromMs + lastsMs };
    });

    const { mints, failures, lateMs, costly } = await liveThroughDay(host, { time, outages, random });

    expect({ seed: seed + number, lateMs, costly }).toEqual({ seed: seed + number, lateMs: [], costly: [] });
    expect(mints).toBeLessThan(40 + failures);
  }
});
