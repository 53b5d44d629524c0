import { expect, test } from "vitest";
import { createVirtualClock, refreshInProcess } from "../support/in-process.js";
import { createMachine } from "../support/machine.js";

const trial = { path: "/rate_limit", times: Infinity } as const;

test("a token that GitHub's servers learn of late is tried until it works, then published", async () => {
  await using machine = await createMachine();
  machine.github.refuse("replication_lag", { times: 3 });

  const { exitCode } = await machine.refresh();

  expect(exitCode).toBe(0);
  expect(machine.github.mints).toBe(1);
  expect(machine.github.requests.map(({ status }) => status)).toEqual([201, 401, 401, 401, 200]);
  expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
});

test.for([
  { refusal: "bad_credentials", code: "token_refused", says: /new token does not work.*HTTP 401/ },
  { refusal: "suspended", code: "token_refused", says: /new token does not work.*HTTP 403/ },
  { refusal: "not_found", code: "github_unavailable", says: /could not be tried/ },
  { refusal: "secondary_limit", code: "rate_limited", says: /asks to wait 60 s/ },
  { refusal: "garbled", code: "github_unavailable", says: /not GitHub's JSON/ },
  { refusal: "html_502", code: "github_unavailable", says: /HTTP 502/ },
  { refusal: "reset", code: "github_unreachable", says: /cut/ },
] as const)("a trial that ends in $refusal never replaces the old token", async (row) => {
  await using machine = await createMachine();
  await refreshInProcess(machine);
  const before = machine.read(machine.paths.tokenEnvFile);
  machine.github.refuse(row.refusal, { ...trial, ...(row.refusal === "garbled" && { status: 200 }) });
  const clock = createVirtualClock();

  const report = await refreshInProcess(machine, { clock });

  expect(report).toMatchObject({ ok: false, exit: 75, code: row.code });
  expect(report.sentence).toMatch(row.says);
  expect(machine.read(machine.paths.tokenEnvFile)).toBe(before);
  expect(machine.github.mints).toBe(2);
  expect(clock.elapsedMs()).toBeLessThan(20_000);
});
