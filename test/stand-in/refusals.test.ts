import { get } from "node:http";
import { expect, test } from "vitest";
import type { RefusalName } from "../../src/stand-in/github-stand-in.js";
import { ask, askForToken, mintPath, mintToken, readResponse, startGitHub } from "./example-github.js";

const messages: [RefusalName, number, string][] = [
  ["jwt_undecodable", 401, "A JSON web token could not be decoded"],
  ["exp_too_far", 401, "'Expiration time' claim ('exp') is too far in the future"],
  [
    "exp_not_future",
    401,
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
  ],
  [
    "iat_invalid",
    401,
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
  ],
  ["issuer_invalid", 401, "'Issuer' claim ('iss') must be an Integer"],
  ["issuer_missing", 401, "Missing 'issuer' claim ('iss') in assertion"],
  ["bad_credentials", 401, "Bad credentials"],
  ["requires_authentication", 401, "Requires authentication"],
  ["integration_not_found", 404, "Integration not found"],
  ["not_found", 404, "Not Found"],
  ["suspended", 403, "This installation has been suspended"],
  [
    "repository_inaccessible",
    422,
    "There is at least one repository that does not exist or is not accessible to the parent installation.",
  ],
  ["permission_not_granted", 422, "The permissions requested are not granted to this installation."],
  ["rate_limited", 403, "API rate limit exceeded for installation."],
  [
    "secondary_limit",
    403,
    "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
  ],
  ["server_error", 500, "Server Error"],
];

test.for(messages)("%s is %i %s", async ([name, status, message]) => {
  await using example = await startGitHub();
  example.github.refuse(name);

  expect(await askForToken(example.baseUrl)).toMatchObject({ status, body: { message } });
  expect(example.github.mints).toBe(0);
  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 201 });
});

test("rate limits tell when to ask again, by GitHub's clock", async () => {
  await using example = await startGitHub();
  example.github.setClockOffset(3_600_000);
  example.github.refuse("rate_limited", { retryAfterSeconds: 90 });
  example.github.refuse("secondary_limit", { status: 429, retryAfterSeconds: 7 });

  const primary = await askForToken(example.baseUrl);
  expect(primary.headers.get("x-ratelimit-remaining")).toBe("0");
  const githubNow = Date.parse(primary.headers.get("date") ?? "") / 1000;
  expect(Number(primary.headers.get("x-ratelimit-reset")) - githubNow).toBe(90);

  const secondary = await askForToken(example.baseUrl);
  expect(secondary.status).toBe(429);
  expect(secondary.headers.get("retry-after")).toBe("7");
});

test("a server error takes any status", async () => {
  await using example = await startGitHub();
  example.github.refuse("server_error", { status: 503 });

  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 503 });
});

test("a gateway's page, an answer without a token and a huge one come as they are", async () => {
  await using example = await startGitHub();

  example.github.refuse("html_502");
  const page = await askForToken(example.baseUrl);
  expect(page).toMatchObject({ status: 502, body: expect.stringContaining("<html>") });

  example.github.refuse("no_token");
  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 201, body: {} });

  example.github.refuse("oversized");
  expect(JSON.stringify((await askForToken(example.baseUrl)).body).length).toBeGreaterThan(2 * 1024 * 1024);
});

test("a garbled answer calls itself JSON and is none", async () => {
  await using example = await startGitHub();
  example.github.refuse("garbled");

  await expect(askForToken(example.baseUrl)).rejects.toThrow(SyntaxError);
});

test.for(["reset", "cut"] as const)("%s breaks the connection", async (fault) => {
  await using example = await startGitHub();
  example.github.refuse(fault);

  await expect(askForToken(example.baseUrl)).rejects.toThrow(TypeError);
  expect(example.github.requests).toMatchObject([{ path: mintPath, status: undefined }]);
});

test("a stalled answer never comes, and closing releases it", async () => {
  await using example = await startGitHub();
  example.github.refuse("stall", { path: "/rate_limit" });
  const stalled = ask(example.baseUrl, "/rate_limit").catch((error: unknown) => error);
  await expect.poll(() => example.github.requests.length).toBe(1);

  await example.github.close();

  expect(await stalled).toBeInstanceOf(TypeError);
});

test("a refusal holds for its path and its number of times", async () => {
  await using example = await startGitHub();
  const token = await mintToken(example.baseUrl);
  const statusOf = async (path: string) =>
    (await ask(example.baseUrl, path, { authorization: `Bearer ${token}` })).status;
  example.github.refuse("server_error", { path: /^\/rate/, times: 2 });

  expect(await statusOf("/")).toBe(200);
  expect(await statusOf("/api/v3/rate_limit")).toBe(500);
  expect(await statusOf("/rate_limit")).toBe(500);
  expect(await statusOf("/rate_limit")).toBe(200);
});

test("an endless refusal ends when it is allowed again", async () => {
  await using example = await startGitHub();
  example.github.refuse("html_502", { times: Infinity });

  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 502 });
  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 502 });
  example.github.allow();
  expect(await askForToken(example.baseUrl)).toMatchObject({ status: 201 });
});

test("held answers come when they are released", async () => {
  await using example = await startGitHub();
  const release = example.github.hold();
  const asked = [askForToken(example.baseUrl), askForToken(example.baseUrl)];
  await expect.poll(() => example.github.requests.length).toBe(2);
  expect(example.github.mints).toBe(0);

  release();

  expect((await Promise.all(asked)).map(({ status }) => status)).toEqual([201, 201]);
});

test("a request without User-Agent is forbidden in plain text", async () => {
  await using example = await startGitHub();

  const { status, body } = await readResponse(get(`${example.baseUrl}/rate_limit`));

  expect(status).toBe(403);
  expect(body).toContain("Request forbidden by administrative rules");
});
