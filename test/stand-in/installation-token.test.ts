import { expect, test } from "vitest";
import { ask, askForToken, installation, mintToken, signAppJwt, startGitHub } from "./example-github.js";

test("a token works with both schemes on plain and Enterprise Server paths", async () => {
  await using example = await startGitHub();
  const token = await mintToken(example.baseUrl);

  for (const scheme of ["Bearer", "token"]) {
    for (const path of ["/", "/rate_limit", "/api/v3", "/api/v3/", "/api/v3/rate_limit"]) {
      const { status } = await ask(example.baseUrl, path, { authorization: `${scheme} ${token}` });
      expect({ scheme, path, status }).toEqual({ scheme, path, status: 200 });
    }
  }
});

test("every answer bears GitHub's headers", async () => {
  await using example = await startGitHub();

  const { headers } = await ask(example.baseUrl, "/rate_limit");

  expect(Object.fromEntries(headers)).toMatchObject({
    "content-type": "application/json; charset=utf-8",
    date: expect.stringMatching(/ GMT$/),
    "x-github-request-id": expect.stringMatching(/./),
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-reset": expect.stringMatching(/^\d+$/),
  });
});

test("a token reaches the repositories of its scope and no others", async () => {
  await using example = await startGitHub();
  const { body } = await askForToken(example.baseUrl, { body: { repositories: ["hello"] } });
  const authorization = `Bearer ${String(Object(body).token)}`;

  expect(await ask(example.baseUrl, "/installation/repositories", { authorization })).toMatchObject({
    status: 200,
    body: { total_count: 1, repositories: [{ full_name: "octo-org/hello" }] },
  });
  expect(await ask(example.baseUrl, "/repos/Octo-Org/Hello", { authorization })).toMatchObject({
    status: 200,
  });
  expect(await ask(example.baseUrl, "/repos/octo-org/world", { authorization })).toMatchObject({
    status: 404,
  });
  expect(await ask(example.baseUrl, "/repos/octo-org/hello")).toMatchObject({ status: 404 });
});

test("lists come in pages with a link to the next", async () => {
  await using example = await startGitHub();
  const authorization = `Bearer ${await mintToken(example.baseUrl)}`;
  const first = await ask(example.baseUrl, "/installation/repositories?per_page=1", { authorization });

  expect(first.body).toMatchObject({ total_count: 2, repositories: [{ name: "hello" }] });
  const next = /^<(.+)>; rel="next"$/.exec(first.headers.get("link") ?? "")?.[1] ?? "";
  const second = await ask("", next, { authorization });
  expect(second.body).toMatchObject({ total_count: 2, repositories: [{ name: "world" }] });
  expect(second.headers.get("link")).toBeNull();
});

test("a token revoked by its bearer is dead, and says so when it is revoked again", async () => {
  await using example = await startGitHub();
  const token = await mintToken(example.baseUrl);
  const revoke = () =>
    ask(example.baseUrl, "/installation/token", { method: "DELETE", authorization: `token ${token}` });

  expect(await revoke()).toMatchObject({ status: 204, body: "" });
  expect(example.github.isLive(token)).toBe(false);
  expect(await revoke()).toMatchObject({ status: 401, body: { message: "Bad credentials" } });
});

test("a token revoked from outside and one never minted are bad credentials", async () => {
  await using example = await startGitHub();
  const token = await mintToken(example.baseUrl);
  example.github.revoke(token);

  for (const credentials of [token, "ghs_never"]) {
    const answer = await ask(example.baseUrl, "/", { authorization: `Bearer ${credentials}` });
    expect(answer).toMatchObject({ status: 401, body: { message: "Bad credentials" } });
  }
});

test("replication lag refuses the first uses of each fresh token", async () => {
  await using example = await startGitHub();
  example.github.refuse("replication_lag", { times: 2 });
  const use = async (token: string) =>
    (await ask(example.baseUrl, "/rate_limit", { authorization: `Bearer ${token}` })).status;

  const first = await mintToken(example.baseUrl);
  expect([await use(first), await use(first), await use(first)]).toEqual([401, 401, 200]);
  expect(example.github.isLive(first)).toBe(true);

  const second = await mintToken(example.baseUrl);
  expect(await use(second)).toBe(401);
  example.github.allow();
  expect(await use(second)).toBe(200);
});

test("an app finds its installation by repository, organization and account", async () => {
  const user = {
    id: 5,
    appId: installation.appId,
    account: { login: "mona", type: "User" as const },
    repositories: [],
  };
  await using example = await startGitHub({ installations: [installation, user] });
  const authorization = `Bearer ${signAppJwt()}`;
  const found = async (path: string) => {
    const { status, body } = await ask(example.baseUrl, path, { authorization });
    return status === 200 ? Object(body).id : status;
  };

  expect(await found("/repos/octo-org/hello/installation")).toBe(installation.id);
  expect(await found("/repos/octo-org/secret/installation")).toBe(404);
  expect(await found("/orgs/octo-org/installation")).toBe(installation.id);
  expect(await found("/orgs/mona/installation")).toBe(404);
  expect(await found("/users/mona/installation")).toBe(user.id);
  expect(await found("/users/octo-org/installation")).toBe(installation.id);
  expect(await found(`/app/installations/${user.id}`)).toBe(user.id);
  expect((await ask(example.baseUrl, "/app/installations", { authorization })).body).toMatchObject([
    { id: installation.id, app_slug: "example-app", suspended_at: null },
    { id: user.id, target_type: "User" },
  ]);
});

test("an app token is nobody as a user", async () => {
  await using example = await startGitHub();
  const authorization = `Bearer ${await mintToken(example.baseUrl)}`;

  expect(await ask(example.baseUrl, "/user", { authorization })).toMatchObject({
    status: 403,
    body: { message: "Resource not accessible by integration" },
  });
  expect(await ask(example.baseUrl, "/user")).toMatchObject({
    status: 401,
    body: { message: "Requires authentication" },
  });
});

test.for(["/graphql", "/api/graphql"])(
  "gh's question at %s gets the app's login and no more",
  async (path) => {
    await using example = await startGitHub();
    const question = {
      method: "POST",
      authorization: `token ${await mintToken(example.baseUrl)}`,
      body: { query: "query UserCurrent{viewer{login}}", variables: {} },
    };

    const { status, body } = await ask(example.baseUrl, path, question);

    expect(status).toBe(200);
    expect(body).toEqual({ data: { viewer: { login: "example-app[bot]" } } });
  },
);

test("an unknown route is not found in GitHub's words", async () => {
  await using example = await startGitHub();

  const { status, body } = await ask(example.baseUrl, "/nowhere");

  expect(status).toBe(404);
  expect(body).toEqual({
    message: "Not Found",
    documentation_url: "https://docs.github.com/rest",
    status: "404",
  });
});
