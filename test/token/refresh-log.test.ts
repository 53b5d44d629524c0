import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { expect, test } from "vitest";
import { appendRefreshLog, readLastRefresh, type RefreshLogEntry } from "../../src/token/refresh-log.js";
import { createMachine } from "../support/machine.js";
import { makeDirectory } from "../support/programs.js";

const entry: RefreshLogEntry = {
  at: "2026-11-01T12:00:00.000Z",
  trigger: "timer",
  by: null,
  ok: true,
  ms: 70,
  code: "refreshed",
  exit: 0,
  sentence: "Refreshed.",
  expires_at: "2026-11-01T13:00:00Z",
  sha256: "0123abcd",
  rate_limit: { limit: 5000, remaining: 4999, reset_at: "2026-11-01T13:00:00Z" },
  refused_at: null,
};

const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

const entriesOf = (path: string): RefreshLogEntry[] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

test("every attempt is a line with all its fields, successes and failures alike", async () => {
  await using machine = await createMachine();
  await machine.refresh({ env: { GHAUTH_TRIGGER: "timer" } });
  await machine.refresh({
    env: { GHAUTH_TRIGGER: "chat", GHAUTH_BY: "telegram:42", GITHUB_APP_ID: "42" },
  });

  const at = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const [first, second] = machine.log();
  expect(first).toEqual({
    at,
    trigger: "timer",
    by: null,
    ok: true,
    ms: expect.any(Number),
    code: "refreshed",
    exit: 0,
    sentence: expect.stringMatching(/^Refreshed: token ghs_1234…/),
    expires_at: /EXPIRES_AT=(.*)/.exec(machine.read(machine.paths.tokenEnvFile))?.[1],
    sha256: expect.stringMatching(/^[0-9a-f]{8}$/),
    rate_limit: { limit: 5000, remaining: 4999, reset_at: expect.stringMatching(/^[-\d]+T[:\d]+Z$/) },
    refused_at: null,
  });
  expect(second).toEqual({
    at,
    trigger: "chat",
    by: "telegram:42",
    ok: false,
    ms: expect.any(Number),
    code: "app_unknown",
    exit: 78,
    sentence: expect.stringContaining("has no App 42"),
    expires_at: null,
    sha256: null,
    rate_limit: null,
    refused_at: null,
  });
});

test("when GitHub's hour ends is told on this host's clock", async () => {
  await using machine = await createMachine();
  machine.github.setClockOffset(-30 * 60_000);
  await machine.refresh();

  const [line] = entriesOf(machine.paths.refreshLog);
  const aheadMs = Date.parse(line?.rate_limit?.reset_at ?? "") - Date.parse(line?.at ?? "");
  expect(aheadMs / 60_000).toBeCloseTo(60, 0);
});

test("a refresh that replaces a refused token tells since when that was marked", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const marks = join(machine.home, ".local/state/takopi/refused");
  const mark = join(marks, sha256Of(machine.heldToken() ?? ""));
  machine.write(mark, "");
  const markedAt = new Date("2026-11-01T12:00:00Z");
  utimesSync(mark, markedAt, markedAt);
  await machine.refresh();
  await machine.refresh({ args: ["--force"] });

  expect(entriesOf(machine.paths.refreshLog).map(({ refused_at }) => refused_at)).toEqual([
    null,
    markedAt.toISOString(),
    null,
  ]);
});

test.for(["telegram:42", "discord:123456789012345678", "matrix:@ada:example.org", "slack:U0123ABC"])(
  "%s is logged as who asked",
  async (by) => {
    await using machine = await createMachine();
    await machine.refresh({ env: { GHAUTH_BY: by, GITHUB_TOKEN_SOURCE: "none" } });
    expect(machine.log()).toMatchObject([{ by }]);
  },
);

test.for(["", "42", "telegram:", "telegram:4 2", 'x:1","ok":true', `x:${"9".repeat(65)}`, "x:1\n"])(
  "%j is nobody",
  async (by) => {
    await using machine = await createMachine();
    await machine.refresh({ env: { GHAUTH_BY: by, GITHUB_TOKEN_SOURCE: "none" } });
    expect(machine.log()).toMatchObject([{ by: null }]);
  },
);

test("lines from before there were these fields are read, and so are lines in which one is nonsense", () => {
  const path = join(makeDirectory(), "log.jsonl");
  const { by: _by, rate_limit: _limit, refused_at: _at, ...older } = entry;
  const none = { ...older, by: null, rate_limit: null, refused_at: null };
  for (const line of [
    older,
    { ...older, by: 42, rate_limit: "5000", refused_at: "never" },
    { ...older, by: "ada", rate_limit: { limit: 5000, remaining: null }, refused_at: {} },
  ]) {
    writeFileSync(path, `${JSON.stringify(line)}\n`);
    expect(readLastRefresh(path)).toEqual(none);
  }
  writeFileSync(path, `${JSON.stringify(entry)}\n`);
  expect(readLastRefresh(path)).toEqual(entry);
});

test.for([
  ["timer", "timer"],
  ["chat", "chat"],
  ["git", "git"],
  ["exec", "exec"],
  ["", "manual"],
  ['x","ok":true', "manual"],
  ["a b", "manual"],
])("the trigger %j is logged as %s", async ([given, logged]) => {
  await using machine = await createMachine();

  await machine.refresh({ env: { GHAUTH_TRIGGER: given, GITHUB_TOKEN_SOURCE: "none" } });

  expect(machine.log()).toMatchObject([{ trigger: logged, code: "config_invalid", exit: 78 }]);
});

test("the newest 1,000 lines are kept, with mode 0600", () => {
  const path = join(makeDirectory(), "state", "log.jsonl");
  appendRefreshLog(path, entry);
  writeFileSync(
    path,
    Array.from({ length: 1003 }, (_, ms) => `${JSON.stringify({ ...entry, ms })}\n`).join(""),
  );
  chmodSync(path, 0o644);

  appendRefreshLog(path, { ...entry, ms: 9999 });

  const times = entriesOf(path).map(({ ms }) => ms);
  expect(times).toHaveLength(1000);
  expect([times[0], times.at(-2), times.at(-1)]).toEqual([4, 1002, 9999]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  appendRefreshLog(path, entry);
  expect(entriesOf(path)).toHaveLength(1000);
});

test("no line is lost when runs that never took the refresh lock rotate a full log at once", async () => {
  await using machine = await createMachine();
  const old = JSON.stringify({ ...entry, trigger: "old" });
  machine.write(machine.paths.refreshLog, `${old}\n`.repeat(1000));
  const triggers = Array.from({ length: 40 }, (_, at) => `run-${at}`);

  await Promise.all(
    triggers.map(async (trigger) =>
      machine.refresh({ env: { GHAUTH_TRIGGER: trigger, GITHUB_TOKEN_SOURCE: "none" } }),
    ),
  );

  const lines = entriesOf(machine.paths.refreshLog);
  expect(lines).toHaveLength(1000);
  expect(
    lines
      .slice(-40)
      .map(({ trigger }) => trigger)
      .sort(),
  ).toEqual(triggers.sort());
});

test("a run that was killed while it wrote holds the next one up for 2 seconds, once", () => {
  const path = join(makeDirectory(), "log.jsonl");
  writeFileSync(`${path}.lock`, "");
  const startedMs = performance.now();

  appendRefreshLog(path, entry);
  appendRefreshLog(path, entry);

  expect(performance.now() - startedMs).toBeGreaterThan(2_000);
  expect(entriesOf(path)).toHaveLength(2);
  expect(existsSync(`${path}.lock`)).toBe(false);
});

test("a log beside which no lock can be made is written all the same", () => {
  const path = join(makeDirectory(), "log.jsonl");
  mkdirSync(`${path}.lock`);

  appendRefreshLog(path, entry);

  expect(entriesOf(path)).toHaveLength(1);
});

test("a line that was torn takes neither the ones before nor the next one with it", () => {
  const path = join(makeDirectory(), "log.jsonl");
  appendRefreshLog(path, { ...entry, ms: 1 });
  appendFileSync(path, '{"at":"2026-11-01T12:4');
  expect(readLastRefresh(path)).toMatchObject({ ms: 1 });

  appendRefreshLog(path, { ...entry, ms: 2 });

  expect(readLastRefresh(path)).toMatchObject({ ms: 2 });
});

test("a log that is missing, empty or nonsense has no last refresh", () => {
  const path = join(makeDirectory(), "log.jsonl");
  expect(readLastRefresh(path)).toBeNull();
  for (const text of ["", "\n\n", "null\n", "[]\n", '{"at":1}\n', "\0\0\0\n"]) {
    writeFileSync(path, text);
    expect(readLastRefresh(path)).toBeNull();
  }
});
