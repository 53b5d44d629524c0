import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import type { RefusalName } from "../../src/stand-in/github-stand-in.js";
import { refreshInProcess } from "../support/in-process.js";
import { app, createMachine, installation, type Machine } from "../support/machine.js";

const strangers = generateKeyPairSync("rsa", { modulusLength: 2048 });
const strangersKey = strangers.privateKey.export({ type: "pkcs1", format: "pem" }).toString();

const other = { ...installation, id: 555_555, account: { login: "other", type: "Organization" as const } };
const stranger = {
  ...app,
  id: 222_222,
  clientId: "Iv23liStrangerAppppp",
  slug: "stranger",
  publicKey: strangers.publicKey,
};

type Case = {
  what: string;
  env?: Record<string, string>;
  arrange?: (machine: Machine) => void;
  code: string;
  says: RegExp;
};

const personMustAct: Case[] = [
  {
    what: "a key that does not belong to the App",
    arrange: ({ write, paths }) => write(paths.privateKey, strangersKey),
    code: "key_mismatch",
    says: /the private key is not App 123456's.*Generate a new private key/,
  },
  {
    what: "App ID and installation ID swapped",
    env: { GITHUB_APP_ID: "987654", GITHUB_APP_INSTALLATION_ID: "123456" },
    code: "ids_swapped",
    says: /GITHUB_APP_ID and GITHUB_APP_INSTALLATION_ID are swapped/,
  },
  {
    what: "another App's ID with our key",
    env: { GITHUB_APP_ID: "222222" },
    code: "key_mismatch",
    says: /correct GITHUB_APP_ID/,
  },
  {
    what: "an App that GitHub does not know",
    env: { GITHUB_APP_ID: "42" },
    code: "app_unknown",
    says: /has no App 42: correct GITHUB_APP_ID, or GITHUB_API_URL/,
  },
  {
    what: "a garbled App ID",
    env: { GITHUB_APP_ID: "12345x" },
    code: "app_id_invalid",
    says: /does not take "12345x" as an App's ID: set GITHUB_APP_ID/,
  },
  {
    what: "a stale installation ID",
    env: { GITHUB_APP_INSTALLATION_ID: "11" },
    code: "installation_not_found",
    says: /has no installation 11\. It is installed as 987654 \(acme\), 555555 \(other\): set GITHUB_APP_INSTALLATION_ID/,
  },
  {
    what: "a suspended installation",
    arrange: ({ github }) => github.suspend(installation.id),
    code: "installation_suspended",
    says: /Installation 987654 of App 123456 is suspended: its owner must unsuspend it/,
  },
  {
    what: "a repository that is not selected",
    env: { GITHUB_APP_REPOSITORIES: "acme/site,acme/secret" },
    code: "repository_inaccessible",
    says: /does not reach acme\/secret: correct the name .* or select it/,
  },
  {
    what: "a repository of an owner whose installation is another",
    env: { GITHUB_APP_REPOSITORIES: "someone/plans" },
    code: "repository_other_owner",
    says: /names repositories of someone, and installation 987654 is acme's/,
  },
  {
    what: "a repository of the same name under another owner",
    env: { GITHUB_APP_REPOSITORIES: "other/site" },
    code: "repository_other_owner",
    says: /names repositories of other, and installation 987654 is acme's/,
  },
  {
    what: "a permission that was not granted",
    env: { GITHUB_APP_PERMISSIONS: "contents:read,actions:write,issues:admin" },
    code: "permission_not_granted",
    says: /was not granted actions:write \(granted: none\), issues:admin \(granted: write\): add it/,
  },
  {
    what: "a hyphenated permission",
    env: { GITHUB_APP_PERMISSIONS: "pull-requests:write" },
    code: "config_invalid",
    says: /GitHub spells pull-requests with underscores: write pull_requests:write/,
  },
];

test.for(personMustAct)("$what is told apart, and waits for a person", async ({ env = {}, ...row }) => {
  await using machine = await createMachine({ apps: [app, stranger], installations: [installation, other] });
  row.arrange?.(machine);

  const { exitCode, stdout, stderr } = await machine.refresh({ env });

  expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
  expect(stderr).toMatch(row.says);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(machine.log()).toMatchObject([
    { ok: false, code: row.code, exit: 78, sentence: stderr.trim(), expires_at: null, sha256: null },
  ]);
  expect(machine.holdsToken()).toBe(false);
});

type Row = { refusal: RefusalName; code: string; exit: 75 | 78; mints: number; says: RegExp };

/** Every row of GitHub's refusals; `mints` is how often GitHub is asked to mint before we give up. */
const rows: Row[] = [
  { refusal: "jwt_undecodable", code: "key_mismatch", exit: 78, mints: 1, says: /cannot verify the App JWT/ },
  { refusal: "issuer_invalid", code: "app_id_invalid", exit: 78, mints: 1, says: /set GITHUB_APP_ID/ },
  { refusal: "issuer_missing", code: "app_id_invalid", exit: 78, mints: 1, says: /set GITHUB_APP_ID/ },
  {
    refusal: "bad_credentials",
    code: "bad_credentials",
    exit: 78,
    mints: 2,
    says: /check that GITHUB_API_URL/,
  },
  { refusal: "integration_not_found", code: "app_unknown", exit: 78, mints: 1, says: /has no App 123456/ },
  {
    refusal: "not_found",
    code: "installation_not_found",
    exit: 78,
    mints: 1,
    says: /no installation 987654/,
  },
  { refusal: "suspended", code: "installation_suspended", exit: 78, mints: 1, says: /must unsuspend it/ },
  {
    refusal: "repository_inaccessible",
    code: "repository_inaccessible",
    exit: 78,
    mints: 1,
    says: /correct the name, or select it/,
  },
  {
    refusal: "permission_not_granted",
    code: "permission_not_granted",
    exit: 78,
    mints: 1,
    says: /have the owner approve it, or ask for less/,
  },
  { refusal: "rate_limited", code: "rate_limited", exit: 75, mints: 1, says: /asks to wait (?:59|60) s/ },
  { refusal: "secondary_limit", code: "rate_limited", exit: 75, mints: 1, says: /asks to wait 60 s/ },
  { refusal: "server_error", code: "github_unavailable", exit: 75, mints: 16, says: /answered HTTP 500/ },
  { refusal: "html_502", code: "github_unavailable", exit: 75, mints: 16, says: /answered HTTP 502/ },
  { refusal: "no_token", code: "github_unavailable", exit: 75, mints: 16, says: /HTTP 201 without a token/ },
  { refusal: "garbled", code: "github_unavailable", exit: 75, mints: 16, says: /HTTP 201 without a token/ },
  { refusal: "oversized", code: "github_unavailable", exit: 75, mints: 16, says: /its answer is over 1 MB/ },
  { refusal: "reset", code: "github_unreachable", exit: 75, mints: 16, says: /the connection was cut/ },
  { refusal: "cut", code: "github_unreachable", exit: 75, mints: 16, says: /the connection was cut/ },
];

test.for(rows)("$refusal ends with $exit, after $mints tries, and keeps the old token", async (row) => {
  await using machine = await createMachine();
  await refreshInProcess(machine);
  const [old, before] = [machine.heldToken(), machine.github.requests.length];
  machine.github.refuse(row.refusal, { times: Infinity });

  const report = await refreshInProcess(machine);

  expect(report).toMatchObject({ ok: false, code: row.code, exit: row.exit });
  expect(report.sentence).toMatch(row.says);
  expect(report.sentence).toMatch(/The old token was kept: it has 59 min left\.$/);
  const asked = machine.github.requests.slice(before).filter(({ method }) => method === "POST");
  expect(asked).toHaveLength(row.mints);
  expect(machine.heldToken()).toBe(old);
});

test("an outage is told to the script's caller with 75, in one sentence and in the log", async () => {
  await using machine = await createMachine();
  machine.github.refuse("html_502", { times: Infinity });

  const { exitCode, stderr } = await machine.refresh({ env: { GHAUTH_REFRESH_DEADLINE_SECONDS: "3" } });

  expect(exitCode).toBe(75);
  expect(stderr).toMatch(/answered HTTP 502.*There is no valid token now\.\n$/);
  expect(machine.log()).toMatchObject([{ code: "github_unavailable", exit: 75, sentence: stderr.trim() }]);
});

test("what passes within the deadline costs no refresh", async () => {
  await using machine = await createMachine();
  for (const refusal of ["server_error", "reset", "garbled", "cut"] as const) machine.github.refuse(refusal);

  expect(await refreshInProcess(machine)).toMatchObject({ ok: true, exit: 0 });
  expect(machine.github.mints).toBe(1);
});
