import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { redact } from "../../src/token/redact.js";
import { Secret } from "../../src/token/secret.js";

const megabytes = (count: number, unit: string) =>
  unit.repeat(Math.ceil((count * 1_000_000) / unit.length)).slice(0, count * 1_000_000);
const noise = randomBytes(1_500_000).toString("base64");
const known = [new Secret(`ghs_${randomBytes(390).toString("base64url")}`)];

const units = [
  ..." \n\\%-.:/@=+_aA1\0\u001B\u009B\u009D".split(""),
  "a ",
  "a\n",
  " \n",
  "\t ",
  "\\ ",
  "%25",
  "%00",
  "%0A",
  "\\u",
  "\\u0000",
  "\\n",
  "\\\n",
  "\u001B[",
  "\u001B]",
  "\u001B]8;;",
  "\u001BP",
  "\u001B[1m",
  "\u001B\n",
  "eyJ",
  "eyJhbGciOi.",
  "eyJhbGciOiJSUzI1NiJ9.",
  "eyJhbGciOiJSUzI1NiJ9.eyJ\n",
  "-----BEGIN ",
  "-----BEGIN A-----",
  "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n",
  "BEGIN PRIVATE ",
  "-----END A-----",
  "END PRIVATE KEY",
  "abcdefGHI123 -----END",
  "abcdefGHI123 ",
  "MIIEpAIBAAKCAQEA ",
  "LS0tLS1CRUdJTi",
  "authorization: ",
  "authorization:bearer ",
  "bearer ",
  "basic",
  "bearer\n",
  "ghs_",
  "ghs_a",
  "xghs_A1",
  "ghs_12345678\n",
  "ghs_12345678.\nword\n",
  "ghs_12345678\nGH_TOKEN=",
  "github_pat_1",
  "ghauthb_",
  "Z2hzX",
  "123456",
  "123456:",
  "123456789:AA",
  "123456789:AAabcdef\n",
  "MTIz",
  "MTIzMTIzMTIzMTIzMTIz.",
  "abcdefghijklmnopqrstuvwxyz.abcdef.",
  "//",
  "//a:",
  "//a:b\n",
  "//a:b@",
  known[0]?.reveal() ?? "",
  known[0]?.reveal().slice(0, 11) ?? "",
];
const texts: [what: string, text: string][] = [
  ["noise", noise],
  ["noise in lines", noise.replaceAll(/.{64}/g, "$&\n")],
  ["noise in one-character lines", noise.replaceAll(/./g, "$&\n")],
  ["noise in UTF-16", noise.replaceAll(/./g, "$&\0")],
  ["noise in colours", noise.replaceAll(/./g, "$&\u001B[1m")],
  ...units.map((unit): [string, string] => [JSON.stringify(unit).slice(0, 40), megabytes(2, unit)]),
  ["a beginning without its end", `-----BEGIN A-----\n${megabytes(2, "a ")}`],
  ["an end without its beginning", `${megabytes(2, "abcdefGHI123 ")}-----END A-----`],
  ["a sequence without its end", `\u001B]${megabytes(2, "a")}`],
  ["an escape without its end", `%${megabytes(2, " ")}\\${megabytes(1, "\\")}`],
];

function millisecondsFor(text: string): number {
  const started = performance.now();
  redact(text, known);
  return performance.now() - started;
}

// The better of several, beside whatever else runs: quadratic time needs four times as long for the double, always.
test.each(texts)("two megabytes of %s take redact about twice as long as one", (_what, text) => {
  const two = text.slice(0, 2_000_000);
  const one = two.slice(0, 1_000_000);
  let ratio = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 10 && ratio >= 3; attempt++)
    ratio = Math.min(ratio, millisecondsFor(two) / millisecondsFor(one));
  expect(two).toHaveLength(2_000_000);
  expect(ratio).toBeLessThan(3);
});
