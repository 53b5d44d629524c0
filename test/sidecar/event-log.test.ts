import { expect, test } from "vitest";
import { createEventLog, isLogLevel } from "../../src/sidecar/event-log.js";
import { Secret } from "../../src/token/secret.js";
import { exampleToken } from "../support/git-host.js";

const now = () => new Date("2026-11-21T12:00:00Z");

test("an event is one JSON line, whatever is in it, and never a secret", () => {
  const lines: string[] = [];
  const log = createEventLog({ now, write: (line) => lines.push(line) }, "info");
  log.known.push(new Secret("a-token-without-any-known-prefix"));

  log.say("warn", "refresh_failed", {
    sentence: `line\nbreak "quoted" ${exampleToken} without-any-known`,
    count: 2,
    absent: undefined,
  });
  log.say("debug", "refresh_failed");

  expect(lines).toEqual([
    '{"at":"2026-11-21T12:00:00.000Z","level":"warn","event":"refresh_failed",' +
      '"sentence":"line\\nbreak \\"quoted\\" [redacted] [redacted]","count":2}\n',
  ]);
});

test("LOG_LEVEL is one of four words", () => {
  expect(["debug", "info", "warn", "error", "trace", ""].filter(isLogLevel)).toEqual([
    "debug",
    "info",
    "warn",
    "error",
  ]);
});
