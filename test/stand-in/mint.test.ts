import { expect, test } from "vitest";
import { app, ask, askForToken, installation, mintToken, signAppJwt, startGitHub } from "./example-github.js";

const inaccessible =
  "There is at least one repository that does not exist or is not accessible to the parent installation.";
const notGranted = "The permissions requested are not granted to this installation.";

test("a mint without a body gets everything, and lists no repositories", async () => {
  await using example = await startGitHub();

  const { status, body } = await askForToken(example.baseUrl);

  expect(status).toBe(201);
  expect(body).toEqual({
    token: expect.stringMatching(/^ghs_/),
    expires_at: expect.stringMatching(/Z$/),
    permissions: app.permissions,
    repository_selection: "selected",
  });
});

test("a repository's id narrows as its name does", async () => {
  await using example = await startGitHub();
  const byName = await askForToken(example.baseUrl, { body: { repositories: ["hello"] } });
  const repositories: unknown = Object(byName.body).repositories;
  expect(repositories).toMatchObject([{ name: "hello", full_name: "octo-org/hello" }]);

  const id: unknown = Object(Object(repositories)[0]).id;
  const byId = await askForToken(example.baseUrl, { body: { repository_ids: [id] } });

  expect(Object(byId.body).repositories).toEqual(repositories);
});

test.for([
  {
    what: "an unselected repository",
    body: { repositories: ["secret"] },
    status: 422,
    message: inaccessible,
  },
  {
    what: "owner/repo as a name",
    body: { repositories: ["octo-org/hello"] },
    status: 422,
    message: inaccessible,
  },
  { what: "an unknown repository id", body: { repository_ids: [1] }, status: 422, message: inaccessible },
  {
    what: "a permission not granted",
    body: { permissions: { checks: "read" } },
    status: 422,
    message: notGranted,
  },
  { what: "a higher level", body: { permissions: { issues: "write" } }, status: 422, message: notGranted },
  { what: "an unknown level", body: { permissions: { issues: "all" } }, status: 422, message: notGranted },
  {
    what: "a hyphenated permission",
    body: { permissions: { "pull-requests": "read" } },
    status: 422,
    message: notGranted,
  },
  {
    what: "over 500 repositories",
    body: { repositories: Array.from({ length: 501 }, () => "hello") },
    status: 422,
    message: "Validation Failed",
  },
  { what: "malformed JSON", body: "{", status: 400, message: "Problems parsing JSON" },
])("a mint with $what is refused", async ({ body, status, message }) => {
  await using example = await startGitHub();

  expect(await askForToken(example.baseUrl, { body })).toMatchObject({ status, body: { message } });
  expect(example.github.mints).toBe(0);
});

test("an unknown installation and another app's are both not found", async () => {
  const other = { ...installation, id: 11, appId: 999 };
  await using example = await startGitHub({
    apps: [app, { ...app, id: 999, clientId: "Iv23liOtherOtherOther" }],
    installations: [installation, other],
  });
  const authorization = `Bearer ${signAppJwt()}`;

  for (const id of [10, 11]) {
    const path = `/app/installations/${id}/access_tokens`;
    const answer = await ask(example.baseUrl, path, { method: "POST", authorization });
    expect(answer).toMatchObject({ status: 404, body: { message: "Not Found", status: "404" } });
  }
});

test("a suspended installation neither mints nor lets its tokens work, until it is unsuspended", async () => {
  await using example = await startGitHub();
  const token = await mintToken(example.baseUrl);
  const suspended = { status: 403, body: { message: "This installation has been suspended" } };

  example.github.suspend(installation.id);
  expect(await askForToken(example.baseUrl)).toMatchObject(suspended);
  expect(await ask(example.baseUrl, "/rate_limit", { authorization: `Bearer ${token}` })).toMatchObject(
    suspended,
  );

  example.github.suspend(installation.id, false);
  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 201 });
});

test("minting leaves older tokens alive, each for its own hour", async () => {
  let nowMs = Date.parse("2026-11-01T12:00:00.900Z");
  const claims = () => ({ iat: Math.floor(nowMs / 1000) - 60, exp: Math.floor(nowMs / 1000) + 540 });
  const mint = () => askForToken(example.baseUrl, { authorization: `Bearer ${signAppJwt(claims())}` });
  await using example = await startGitHub({ now: () => new Date(nowMs) });

  expect((await mint()).body).toMatchObject({ expires_at: "2026-11-01T13:00:00Z" });
  nowMs += 30 * 60 * 1000;
  await mint();
  expect(example.github.liveTokens).toHaveLength(2);
  const [, second] = example.github.liveTokens;
  nowMs += 30 * 60 * 1000;
  expect(example.github.liveTokens).toEqual([second]);
  expect(example.github.mints).toBe(2);
});

test("injected randomness makes the same tokens again", async () => {
  await using example = await startGitHub({
    random: (size) => Buffer.alloc(size, 10),
    tokenFormat: "short",
  });

  expect(await mintToken(example.baseUrl)).toBe(`ghs_${"A".repeat(36)}`);
});
