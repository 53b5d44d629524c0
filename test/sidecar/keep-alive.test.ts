import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { expect, test } from "vitest";
import { createSidecarHost } from "../support/sidecar-host.js";
import { createVirtualTime, runVirtualSidecar } from "../support/virtual-sidecar.js";

const noon = new Date("2026-11-21T12:00:00Z");
const minutes = 60;

/** A host whose GitHub lives by virtual time. */
async function createVirtualHost() {
  const time = createVirtualTime(noon);
  return { time, host: await createSidecarHost({ now: time.now }) };
}

test("it refreshes every 45 minutes, up to a tenth earlier", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  let draws = 0;
  const random = () => [0, 0.999][draws++ % 2] ?? 0;

  const log = await runVirtualSidecar(host, { time, hours: 2.5, random });

  expect(log.map(({ event, elapsed }) => [event, elapsed])).toEqual([
    ["token.refreshed", 0],
    ["token.refreshed", 45 * minutes],
    ["token.refreshed", 45 * minutes + 2430],
    ["token.refreshed", 90 * minutes + 2430],
  ]);
});

test("what is transient backs off from 1 s to 5 min", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  host.github.refuse("server_error", { times: 14 });

  const log = await runVirtualSidecar(host, { time, hours: 1, random: () => 0.999 });

  const waits = log.map(({ next_seconds }) => next_seconds);
  expect(waits).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300, 300, expect.any(Number)]);
  expect(log.every(({ level }, at) => level === (at < 14 ? "warn" : "info"))).toBe(true);
});

test("while a token lives, tries come at least every quarter of the life it has left", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;

  const log = await runVirtualSidecar(host, {
    time,
    hours: 1.2,
    random: () => 0.999,
    before: (attempt) => {
      if (attempt === 2) host.github.refuse("reset", { times: Infinity });
    },
  });

  const failures = log.filter(({ event }) => event === "refresh.failed");
  for (const { token_seconds_left: left, next_seconds: next } of failures)
    expect(Number(next)).toBeLessThanOrEqual(left === 0 ? 300 : Math.max(1, Number(left) / 4 + 1));
  expect(failures.at(-1)).toMatchObject({ token_seconds_left: 0 });
});

test("GitHub's own wait is kept", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  host.github.refuse("secondary_limit", { retryAfterSeconds: 700 });

  const log = await runVirtualSidecar(host, { time, hours: 0.5 });

  expect(log.map(({ code, event, elapsed }) => [code ?? event, elapsed])).toEqual([
    ["rate_limited", 0],
    ["token.refreshed", 701],
  ]);
});

test("what a person must change is said once and tried every 5 minutes; a new secret is taken up without a restart", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const wrong = privateKey.export({ type: "pkcs1", format: "pem" }).toString();

  const attempts: number[] = [];
  const log = await runVirtualSidecar(host, {
    time,
    hours: 1.5,
    random: () => 0,
    before: (attempt) => {
      attempts.push(time.elapsedMs() / 60_000);
      if (attempt === 2) host.mountSecret({ "private-key": wrong }, "..wrong");
      if (attempt === 6) host.mountSecret({}, "..right");
    },
  });

  expect(attempts).toEqual([0, 45, 50, 55, 60, 65]);
  expect(log.map(({ level, event, elapsed }) => [level, event, elapsed / 60])).toEqual([
    ["info", "token.refreshed", 0],
    ["error", "refresh.failed", 45],
    ["info", "token.refreshed", 65],
  ]);
  expect(log[1]?.["sentence"]).toMatch(
    /the private key is not App 123456's.* or correct \S+\/secrets\/app-id\./,
  );
});

test("a machine that was suspended refreshes as soon as it wakes", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  const sleep = time.sleep;
  const suspends = [20 * minutes];
  time.sleep = async (ms) => {
    await sleep(ms);
    if (time.elapsedMs() / 1000 < (suspends[0] ?? Infinity)) return;
    suspends.shift();
    time.suspend(8 * 3_600_000);
  };

  const log = await runVirtualSidecar(host, { time, hours: 0.5 });

  expect(log.map(({ event, elapsed }) => [event, elapsed])).toEqual([
    ["token.refreshed", 0],
    ["clock.jumped", 20 * minutes],
    ["token.refreshed", 20 * minutes],
  ]);
  expect(host.github.liveTokens).toEqual([host.token()]);
});

test("a clock that is set back does so too, lest the expiry is judged by the wrong one", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  const sleep = time.sleep;
  let isSet = false;
  time.sleep = async (ms) => {
    await sleep(ms);
    if (!isSet) time.suspend(-3_600_000);
    isSet = true;
  };

  const log = await runVirtualSidecar(host, { time, hours: 0.1 });

  expect(log.map(({ event }) => event)).toEqual(["token.refreshed", "clock.jumped", "token.refreshed"]);
});

test("a write that fails is tried again with the token that was minted, and costs no other mint", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  rmSync(host.directory, { recursive: true });

  const log = await runVirtualSidecar(host, {
    time,
    hours: 2,
    before: (attempt) => {
      if (attempt === 1) mkdirSync(host.directory);
      // A directory in its place: rename cannot replace it.
      if (attempt === 2) {
        rmSync(host.tokenFile);
        mkdirSync(host.tokenFile);
      }
      if (attempt === 5) rmdirSync(host.tokenFile);
    },
  });

  expect(log.map(({ code, event }) => code ?? event)).toEqual([
    "token.refreshed",
    "file_unusable",
    "token.refreshed",
    "token.refreshed",
  ]);
  expect(host.github.mints).toBe(3);
  expect(host.github.isLive(host.token() ?? "")).toBe(true);
  expect(readdirSync(host.directory).sort()).toEqual(["token", "token.json"]);
});

test("a token that never starts to work is given up for another", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;
  host.github.refuse("replication_lag", { times: 1000 });

  const log = await runVirtualSidecar(host, {
    time,
    hours: 0.5,
    before: (attempt) => {
      if (attempt === 2) host.github.refuse("replication_lag", { times: 0 });
    },
  });

  expect(log.map(({ code, event }) => code ?? event)).toEqual(["token_refused", "token.refreshed"]);
  expect(host.github.mints).toBe(2);
  expect(host.token()).toBe(host.github.liveTokens[1]);
});

test("a trial that GitHub's troubles prevented does not cost another mint", async () => {
  const { time, host: created } = await createVirtualHost();
  await using host = created;

  const log = await runVirtualSidecar(host, {
    time,
    hours: 0.5,
    before: (attempt) => {
      if (attempt <= 3) host.github.refuse("server_error", { times: Infinity, path: "/rate_limit" });
      else host.github.allow();
    },
  });

  expect(log.map(({ code, event }) => code ?? event)).toEqual([
    ...Array.from({ length: 3 }, () => "github_unavailable"),
    "token.refreshed",
  ]);
  expect(host.github.mints).toBe(1);
});
