import { generateKeyPairSync } from "node:crypto";
import { expect, test } from "vitest";
import { app, ask, askForToken, signAppJwt, startGitHub } from "./example-github.js";

const now = Math.floor(Date.now() / 1000);
const notFuture =
  "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires";
const tooFar = "'Expiration time' claim ('exp') is too far in the future";
const badIssuedAt =
  "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued";

test.for([{ iss: app.id }, { iss: String(app.id) }, { iss: app.clientId }])(
  "an App JWT with the issuer $iss is accepted",
  async (claims) => {
    await using example = await startGitHub();

    expect(
      await ask(example.baseUrl, "/app", { authorization: `Bearer ${signAppJwt(claims)}` }),
    ).toMatchObject({
      status: 200,
      body: { id: app.id, client_id: app.clientId, slug: app.slug, installations_count: 1 },
    });
  },
);

test.for([
  { what: "exp in the past", claims: { exp: now - 1 }, status: 401, message: notFuture },
  { what: "exp that is no number", claims: { exp: "soon" }, status: 401, message: notFuture },
  { what: "exp over ten minutes ahead", claims: { exp: now + 700 }, status: 401, message: tooFar },
  { what: "iat in the future", claims: { iat: now + 60 }, status: 401, message: badIssuedAt },
  { what: "iat that is no integer", claims: { iat: now - 0.5 }, status: 401, message: badIssuedAt },
  {
    what: "garbled iss",
    claims: { iss: "12345\u00A0" },
    status: 401,
    message: "'Issuer' claim ('iss') must be an Integer",
  },
  {
    what: "missing iss",
    claims: { iss: undefined },
    status: 401,
    message: "Missing 'issuer' claim ('iss') in assertion",
  },
  { what: "unknown app ID", claims: { iss: 99 }, status: 404, message: "Integration not found" },
  {
    what: "unknown client ID",
    claims: { iss: "Iv1.8a61f9b3a7aba766" },
    status: 404,
    message: "Integration not found",
  },
])("an App JWT with $what is refused as GitHub does", async ({ claims, status, message }) => {
  await using example = await startGitHub();

  const answer = await askForToken(example.baseUrl, { authorization: `Bearer ${signAppJwt(claims)}` });

  expect(answer.status).toBe(status);
  expect(answer.body).toEqual({
    message,
    documentation_url: "https://docs.github.com/rest",
    status: String(status),
  });
});

test.for([
  { client: "an hour slow", offsetMs: 3_600_000, message: notFuture },
  { client: "an hour fast", offsetMs: -3_600_000, message: tooFar },
])("a client whose clock is $client is refused, and the Date header tells it why", async (row) => {
  await using example = await startGitHub();
  example.github.setClockOffset(row.offsetMs);

  const { status, headers, body } = await askForToken(example.baseUrl);

  expect(status).toBe(401);
  expect(body).toMatchObject({ message: row.message });
  const offsetMs = Date.parse(headers.get("date") ?? "") - Date.now();
  expect(Math.abs(offsetMs - row.offsetMs)).toBeLessThan(5000);
});

test("a client that corrects its clock by the Date header mints", async () => {
  await using example = await startGitHub();
  example.github.setClockOffset(3_600_000);

  const claims = { iat: now + 3_540, exp: now + 4_140 };
  const { status, body } = await askForToken(example.baseUrl, {
    authorization: `Bearer ${signAppJwt(claims)}`,
  });

  expect(status).toBe(201);
  expect(body).toMatchObject({ expires_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) });
});

const stranger = generateKeyPairSync("rsa", { modulusLength: 2048 });

test.for([
  { what: "no Authorization", authorization: undefined },
  { what: "no JWT", authorization: "Bearer nonsense" },
  { what: "a scheme other than Bearer", authorization: `token ${signAppJwt()}` },
  { what: "a fourth part", authorization: `Bearer ${signAppJwt()}.x` },
  { what: "another key's signature", authorization: `Bearer ${signAppJwt({}, stranger.privateKey)}` },
])("a request with $what bears no App JWT that could be decoded", async ({ authorization }) => {
  await using example = await startGitHub();

  const answer = await ask(example.baseUrl, "/app", authorization === undefined ? {} : { authorization });

  expect(answer).toMatchObject({ status: 401, body: { message: "A JSON web token could not be decoded" } });
});
