import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Secret } from "../../src/token/secret.js";
import {
  parseTokenFile,
  readTokenFile,
  renderTokenFile,
  writeTokenFile,
} from "../../src/token/token-file.js";
import { makeDirectory } from "../support/programs.js";

const token = {
  secret: new Secret(`ghs_123_${"aB3-_.".repeat(80)}`),
  expiresAt: new Date(1_800_000_000_000),
};

test("what is written is read again, to the second", () => {
  const path = join(makeDirectory(), "token.env");
  writeTokenFile(path, { ...token, expiresAt: new Date(1_800_000_000_987) });

  const file = readTokenFile(path);

  expect(file).toMatchObject({ type: "token", mode: 0o600, token: { expiresAt: token.expiresAt } });
  expect(parseTokenFile(renderTokenFile(token))?.secret.reveal()).toBe(token.secret.reveal());
});

test("sh reads the file as we do", () => {
  const path = join(makeDirectory(), "token.env");
  writeTokenFile(path, token);
  const print =
    '. "$0"; printf "%s %s %s %s" "$GITHUB_TOKEN" "$GH_TOKEN" "$GITHUB_TOKEN_EXPIRES_AT" "$GITHUB_TOKEN_EXPIRES_EPOCH"';

  const words = execFileSync("sh", ["-c", print, path], { encoding: "utf8" }).split(" ");

  expect(words.slice(0, 2).every((word) => word === token.secret.reveal())).toBe(true);
  expect(words.slice(2)).toEqual(["2027-01-15T08:00:00Z", "1800000000"]);
});

test.for([
  ["an empty file", ""],
  ["other variables", "PATH=/bin\n"],
  ["an empty token", "GITHUB_TOKEN=\n"],
  ["a token of two words", "GITHUB_TOKEN=ghs_012345 6789\n"],
  ["binary junk", "\0\u0001\uFFFD"],
] as const)("%s holds no token", ([, text]) => {
  expect(parseTokenFile(text)).toBeNull();
});

test("a missing file, a directory and a huge file are told apart", () => {
  const directory = makeDirectory();
  const huge = join(directory, "huge");
  writeFileSync(huge, "x".repeat(70_000));
  mkdirSync(join(directory, "folder"));

  expect(readTokenFile(join(directory, "none"))).toEqual({ type: "missing" });
  expect(readTokenFile(join(huge, "none"))).toEqual({ type: "missing" });
  expect(readTokenFile(join(directory, "folder"))).toMatchObject({
    type: "unreadable",
    reason: "it is not a regular file",
  });
  expect(readTokenFile(huge)).toMatchObject({
    type: "unreadable",
    reason: expect.stringContaining("70000 bytes"),
  });
});
