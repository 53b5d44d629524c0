import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readExpiry, readHealth, writeTokenOutput } from "../../src/sidecar/token-files.js";
import { Secret } from "../../src/token/secret.js";
import { exampleToken } from "../support/git-host.js";
import { makeDirectory } from "../support/programs.js";

const now = new Date("2026-11-21T12:00:00Z");
const inMinutes = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
const output = () => ({ tokenFile: join(makeDirectory(), "token"), mode: 0o600 });

test.for([
  { left: 10, isHealthy: true, sentence: "The token has 10 min left." },
  { left: 9.99, isHealthy: false, sentence: "The token has 9 min left." },
  { left: -30, isHealthy: false, sentence: "The token has 0 min left." },
])("with $left minutes left health is $isHealthy", ({ left, isHealthy, sentence }) => {
  const to = output();
  writeTokenOutput(to, { secret: new Secret(exampleToken), expiresAt: inMinutes(left) }, now);
  expect(readHealth(to, now)).toEqual({ isHealthy, sentence });
});

test("a token of unknown expiry is taken to last an hour", () => {
  const to = output();
  writeTokenOutput(to, { secret: new Secret(exampleToken), expiresAt: null }, now);
  expect(readHealth(to, inMinutes(50))).toMatchObject({ isHealthy: true });
  expect(readHealth(to, inMinutes(51))).toMatchObject({ isHealthy: false });
  expect(readExpiry(to)).toEqual(inMinutes(60));
});

test.for([
  { what: "no token", files: {}, says: /There is no token at .* yet/ },
  { what: "a token without its expiry", files: { token: "ghs_x" }, says: /There is no token/ },
  { what: "an empty token", files: { token: "", "token.json": "{}" }, says: /is empty/ },
  { what: "an expiry that is none", files: { token: "x", "token.json": "{}" }, says: /does not say when/ },
  { what: "an expiry that is no JSON", files: { token: "x", "token.json": "{" }, says: /cannot be judged/ },
])("$what is not healthy, and does not hinder the next start", ({ files, says }) => {
  const to = output();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(to.tokenFile, "..", name), text);
  expect(readHealth(to, now)).toEqual({ isHealthy: false, sentence: expect.stringMatching(says) });
  expect(readExpiry(to)).toBeNull();
});
