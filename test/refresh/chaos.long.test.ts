import { expect, test } from "vitest";
import type { RefusalName } from "../../src/stand-in/github-stand-in.js";
import { refreshInProcess } from "../support/in-process.js";
import { createMachine, expectNoSecret, type Machine } from "../support/machine.js";
import { createRandom } from "../support/random.js";

const seed = Number(process.env["CHAOS_SEED"] ?? 20_261_121);
const refreshes = 500;
const dayMs = 24 * 60 * 60 * 1000;
/** Every twentieth refresh is the real script; the others run in this process, on a clock that need not wait. */
const everyRealOne = 20;

type Fault = { refusal: RefusalName; retryAfterSeconds?: number; status?: number };
type Expected = { exit: 0 | 75 | 78 };
const mostFaults = 3;

const passing: Fault[] = [
  { refusal: "server_error" },
  { refusal: "server_error", status: 503 },
  { refusal: "html_502" },
  { refusal: "no_token" },
  { refusal: "garbled" },
  { refusal: "oversized" },
  { refusal: "reset" },
  { refusal: "cut" },
  { refusal: "secondary_limit", retryAfterSeconds: 1 },
  { refusal: "rate_limited", retryAfterSeconds: 1 },
];
const tooLong: Fault[] = [
  { refusal: "secondary_limit", retryAfterSeconds: 120 },
  { refusal: "rate_limited", retryAfterSeconds: 120 },
];
const aboutTime: Fault[] = [
  { refusal: "exp_too_far" },
  { refusal: "exp_not_future" },
  { refusal: "iat_invalid" },
];
const final: Fault[] = [
  { refusal: "jwt_undecodable" },
  { refusal: "issuer_invalid" },
  { refusal: "issuer_missing" },
  { refusal: "integration_not_found" },
  { refusal: "not_found" },
  { refusal: "suspended" },
  { refusal: "repository_inaccessible" },
  { refusal: "permission_not_granted" },
  { refusal: "requires_authentication" },
];
/** What may meet a trial; each is transient. */
const trials: Fault[] = [
  { refusal: "bad_credentials" },
  { refusal: "suspended" },
  { refusal: "server_error" },
  { refusal: "html_502" },
  { refusal: "garbled", status: 200 },
  { refusal: "reset" },
  { refusal: "cut" },
  { refusal: "secondary_limit", retryAfterSeconds: 1 },
];

/** Arms the stand-in for one refresh, and says what must come of it. */
function arrange({ github }: Machine, random: () => number): Expected {
  const pick = <T>(from: readonly T[]): T => {
    const picked = from[Math.floor(random() * from.length)];
    if (picked === undefined) throw new Error("nothing to pick from");
    return picked;
  };
  const refuse = ({ refusal, ...how }: Fault, more: { times?: number; path?: string } = {}) =>
    github.refuse(refusal, { ...how, ...more });

  github.allow();
  for (let faults = 0; faults < mostFaults && random() < 0.3; faults++) refuse(pick(passing));
  if (random() < 0.1) refuse(pick(aboutTime));
  const ending = random();
  if (ending < 0.12) return (refuse(pick(final)), { exit: 78 });
  if (ending < 0.16) return (refuse({ refusal: "bad_credentials" }, { times: 2 }), { exit: 78 });
  if (ending < 0.2) return (refuse(pick(aboutTime), { times: 2 }), { exit: 75 });
  if (ending < 0.24) return (refuse(pick(tooLong)), { exit: 75 });
  if (ending < 0.3) return (refuse(pick(passing), { times: Infinity }), { exit: 75 });
  if (ending < 0.34) return (github.refuse("replication_lag", { times: 1000 }), { exit: 75 });
  if (ending < 0.4) return (refuse(pick(trials), { times: Infinity, path: "/rate_limit" }), { exit: 75 });
  if (ending < 0.6) github.refuse("replication_lag", { times: 1 + Math.floor(random() * 2) });
  if (ending < 0.7) refuse(pick(trials), { path: "/rate_limit" });
  return { exit: 0 };
}

type Outcome = { exit: number | null; said: string };

async function refreshForReal(machine: Machine): Promise<Outcome> {
  const { exitCode, stdout, stderr } = await machine.refresh({
    env: { GHAUTH_REFRESH_DEADLINE_SECONDS: "12" },
  });
  return { exit: exitCode, said: stdout + stderr };
}

async function refreshHere(machine: Machine, random: () => number): Promise<Outcome> {
  const { exit, sentence } = await refreshInProcess(machine, { random });
  return { exit, said: sentence };
}

test(`500 refreshes among refusals, delays, cuts and garbage (seed ${seed}) never cost a good token`, async () => {
  await using machine = await createMachine();
  const random = createRandom(seed);
  const seen = { 0: 0, 75: 0, 78: 0 };
  let held: { token: string | undefined; clockOffsetMs: number } = { token: undefined, clockOffsetMs: 0 };

  for (let number = 0; number < refreshes; number++) {
    const isReal = number % everyRealOne === 0;
    const expected = arrange(machine, random);
    const clockOffsetMs = random() < 0.2 ? (random() - 0.5) * 2 * dayMs : 0;
    machine.github.setClockOffset(clockOffsetMs);
    const mintsBefore = machine.github.mints;
    const release = machine.github.hold();
    setTimeout(release, random() * 10);

    const outcome = isReal ? await refreshForReal(machine) : await refreshHere(machine, random);

    const { mints, liveTokens } = machine.github;
    const token = machine.holdsToken() ? machine.heldToken() : undefined;
    expectNoSecret(outcome.said, liveTokens.slice(-2));
    const wanted = expected.exit === 0 ? { token: liveTokens.at(-1), clockOffsetMs } : held;
    machine.github.setClockOffset(wanted.clockOffsetMs); // by which the token was minted, lest it has expired
    expect({
      number,
      said: outcome.said,
      exit: outcome.exit,
      holdsWhatItShould: token === wanted.token,
      works: token === undefined || machine.github.isLive(token),
      mintedTwice: mints - mintsBefore > 1,
    }).toEqual({
      number,
      said: expect.any(String),
      exit: expected.exit,
      holdsWhatItShould: true,
      works: true,
      mintedTwice: false,
    });
    seen[expected.exit]++;
    held = wanted;
  }

  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(50);
});
