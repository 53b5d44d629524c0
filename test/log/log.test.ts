import { expect, test } from "vitest";
import { createLog } from "../../src/log/log.js";
import { Secret } from "../../src/token/secret.js";
import { exampleToken } from "../support/git-host.js";

const now = () => new Date("2026-11-21T12:00:00Z");

function createRecord(level?: string) {
  const lines: string[] = [];
  const known: Secret[] = [];
  const log = createLog({ level, now, write: (line) => lines.push(line), known });
  return { lines, known, log };
}

test("an event is one JSON line, whatever is in it, and never a secret", () => {
  const { lines, known, log } = createRecord();
  known.push(new Secret("a-token-without-any-known-prefix"));

  log.warn("refresh.failed", {
    sentence: `line\nbreak "quoted" ${exampleToken} without-any-known`,
    asked: { [exampleToken]: [exampleToken, 1] },
    count: 2,
    absent: undefined,
  });
  log.debug("refresh.failed");

  expect(lines).toEqual([
    '{"level":"warn","time":"2026-11-21T12:00:00.000Z","event":"refresh.failed",' +
      '"sentence":"line\\nbreak \\"quoted\\" [redacted] [redacted]",' +
      '"asked":{"[redacted]":["[redacted]",1]},"count":2}\n',
  ]);
});

test("a prepared line is the same line, without its secrets", () => {
  const { lines, log } = createRecord();

  const say = log.prepare("token.served", { client: "ops", said: `Bearer ${exampleToken}` });
  say({ ms: 0.5 });
  log.info("token.served", { client: "ops", said: `Bearer ${exampleToken}`, ms: 0.5 });

  expect(lines[0]).toContain('"event":"token.served","client":"ops","said":"Bearer [redacted]","ms":0.5}\n');
  expect(lines[1]).toBe(lines[0]);
});

test("a PEM block without its end costs nothing but its own field", () => {
  const { lines, log } = createRecord();

  log.error("key.unusable", { sentence: "-----BEGIN RSA PRIVATE KEY-----\nMIIEow", exit: 78 });

  expect(JSON.parse(lines.join(""))).toMatchObject({ sentence: "[redacted]", exit: 78 });
});

test("the name of an event is never taken for a secret", () => {
  const { lines, known, log } = createRecord();
  const names = ["telegram.startup_message_failed", "host.unhandled_rejection", exampleToken];
  known.push(...names.map((name) => new Secret(name)));

  for (const name of names) log.info(name);

  expect(lines.map((line) => JSON.parse(line).event)).toEqual(names);
});

test.each([undefined, "", "info", "INFO", "Info"])("LOG_LEVEL %j leaves out debug and no more", (level) => {
  const { lines, log } = createRecord(level);
  log.debug("a.debug");
  log.info("an.info");
  log.prepare("an.info", {})({});
  expect(lines).toHaveLength(2);
});

test("a prepared line is left out below LOG_LEVEL too", () => {
  const { lines, log } = createRecord("Warn");
  log.prepare("token.served", {})({ ms: 1 });
  log.warn("token.kept");
  expect(lines).toHaveLength(1);
});
