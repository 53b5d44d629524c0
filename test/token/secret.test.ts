import { inspect } from "node:util";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import { redact, Secret } from "../../src/token/secret.js";

const words = (size: number) => randomBytes(size).toString("base64url");
const jwt = `eyJ${words(20)}.eyJ${words(60)}.${words(256)}`;

describe("a Secret cannot print itself", () => {
  const secret = new Secret("ghs_0123456789abcdefghijklmnopqrstuvwxyz");

  test.each([
    // oxlint-disable-next-line typescript/restrict-template-expressions -- the slip that a Secret is there for
    ["a template", `${secret}`],
    ["JSON", JSON.stringify({ secret })],
    ["util.inspect", inspect({ secret }, { showHidden: true, depth: 9 })],
    ["String()", String(secret)],
  ])("by %s", (_how, printed) => {
    expect(printed).toContain("[secret]");
    expect(printed).not.toContain("0123");
  });

  test("its fingerprint is the first 8 hex digits of its SHA-256", () => {
    expect(new Secret("abc").fingerprint).toBe("ba7816bf");
  });
});

describe("redact takes out", () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const pem = privateKey.export({ type: "pkcs1", format: "pem" }).toString();
  const secrets: [string, string][] = [
    ["a short installation token", `ghs_${words(27).replace(/[-_]/g, "x")}`],
    ["a long installation token", `ghs_123456_${jwt}`],
    ["a personal access token", `ghp_${"a1B2".repeat(9)}`],
    ["an OAuth token", `gho_${"a1B2".repeat(9)}`],
    ["a user-to-server token", `ghu_${"a1B2".repeat(9)}`],
    ["a refresh token", `ghr_${"a1B2".repeat(19)}`],
    ["a fine-grained token", `github_pat_11${"A1b2".repeat(5)}_${"c3D4".repeat(14)}`],
    ["a bearer token of our broker", `ghauthb_${words(32)}`],
    ["a JWT", jwt],
    ["a private key", pem],
    ["a private key on one line", pem.replaceAll("\n", "\\n")],
    ["a private key without its end", pem.slice(0, 900)],
    ["a private key without its beginning", pem.slice(300)],
    ["a private key in base64", Buffer.from(pem).toString("base64")],
    ["a bearer", `Bearer ${words(24)}`],
    ["an Authorization header", `authorization: token ${words(24)}`],
    [
      "a basic Authorization header",
      `Authorization: Basic ${Buffer.from(`x:${words(24)}`).toString("base64")}`,
    ],
    ["a Telegram bot token", `123456789:${words(27).slice(0, 35)}`],
    ["a Telegram URL", `https://api.telegram.org/bot123456789:${words(27).slice(0, 35)}/getMe`],
    ["a Discord bot token", `M${words(18).slice(0, 23)}.${words(6).slice(0, 6)}.${words(30).slice(0, 38)}`],
  ];

  test.each(secrets)("%s", (_what, secret) => {
    const clean = redact(`before ${secret} after`);
    for (let at = 30; at + 14 <= secret.length; at += 7)
      expect(clean).not.toContain(secret.slice(at, at + 14));
    expect(clean).toMatch(/\[redacted\]/);
    expect(clean).toMatch(/^before /);
  });

  test("a password in a URL", () => {
    expect(redact("fetch https://x-access-token:v1.abc@github.com/acme/site")).toBe(
      "fetch https://x-access-token:[redacted]@github.com/acme/site",
    );
  });

  test("any 12 consecutive characters of a known secret, wrapped or cut as it may be", () => {
    const token = `v1.${words(90)}`;
    const wrapped = `${token.slice(0, 40)}\n${token.slice(40, 80)}\n${token.slice(80)}`;
    const clean = redact(`x${wrapped}y ${token.slice(20, 32)}`, [new Secret(token)]);
    for (let at = 0; at + 12 <= token.length; at++) expect(clean).not.toContain(token.slice(at, at + 12));
  });
});

test.each([
  "token ghs_1234… (sha256 ab12cd34), valid until 2026-11-21T23:00:00Z",
  "commit 0123456789abcdef0123456789abcdef01234567 in acme/site",
  "https://api.github.com/app/installations/1/access_tokens answered HTTP 502",
])("redact leaves %j alone", (text) => {
  expect(redact(text)).toBe(text);
});

// What took quadratic time here would outlast the test's own limit a thousandfold.
test("redact gets through a megabyte of anything", () => {
  const noise = randomBytes(750_000).toString("base64");
  for (const text of [
    noise,
    noise.replace(/(.{64})/g, "$1\n"),
    "a ".repeat(500_000),
    "-----BEGIN ".repeat(90_000),
    "eyJ".repeat(300_000),
    "-----END A-----".repeat(60_000),
  ]) {
    expect(redact(`${text} the end`, [new Secret(words(390))])).toMatch(/the end$/);
  }
});
