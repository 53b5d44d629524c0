import { expect, test } from "vitest";
import { parseSidecarOptions } from "../../src/sidecar/sidecar-options.js";

const intervalOf = (minutes: string) => parseSidecarOptions({}, { REFRESH_INTERVAL_MINUTES: minutes });

test.each([
  ["", 45],
  ["1", 1],
  ["12.5", 12.5],
  ["50", 50],
])("REFRESH_INTERVAL_MINUTES=%s is taken as it is", (given, minutes) => {
  expect(intervalOf(given)).toMatchObject({ intervalMs: minutes * 60_000, warnings: [] });
});

test.each(["50.1", "60", "999999", "1e400", "Infinity"])(
  "REFRESH_INTERVAL_MINUTES=%s would outlive a token: it is 45, with a warning",
  (given) => {
    expect(intervalOf(given)).toMatchObject({
      intervalMs: 45 * 60_000,
      warnings: [
        `REFRESH_INTERVAL_MINUTES is ${given}, and a token lives 60 minutes: it is refreshed every 45 minutes. Set it to 50 at most.`,
      ],
    });
  },
);

test.each(["0", "0.9", "-45", "often", "45m", "NaN", "-Infinity"])(
  "REFRESH_INTERVAL_MINUTES=%s is refused",
  (given) => {
    expect(() => intervalOf(given)).toThrow(
      `REFRESH_INTERVAL_MINUTES is "${given}": set it to a number of minutes, from 1 to 50.`,
    );
  },
);
