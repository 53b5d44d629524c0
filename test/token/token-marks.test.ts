import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { forgetRefusal, isRefused, markRefused, sweepRefusals } from "../../src/token/token-marks.js";
import { Secret } from "../../src/token/secret.js";
import { sha256 } from "../support/git-host.js";

const [token, other] = [new Secret("ghs_example"), new Secret("ghs_other")];
const now = new Date();
let state: string;
let marks: string;
let single: string;

beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "ghauth-test-"));
  marks = join(state, "refused");
  single = join(state, "refused-token");
});
afterEach(() => rmSync(state, { recursive: true }));

const age = (path: string, minutes: number) => {
  const at = new Date(now.getTime() - minutes * 60_000);
  utimesSync(path, at, at);
};

test("a mark is an empty file of its user's, named by the token's SHA-256", () => {
  markRefused(token, marks);

  expect(readdirSync(marks)).toEqual([sha256("ghs_example")]);
  const { size, mode } = statSync(join(marks, sha256("ghs_example")));
  expect([size, mode & 0o777, statSync(marks).mode & 0o777]).toEqual([0, 0o600, 0o700]);
});

test("each token has a mark of its own: marking one says nothing about another, and takes nothing back", () => {
  markRefused(token, marks);
  expect([isRefused(token, marks), isRefused(other, marks)]).toEqual([true, false]);
  markRefused(other, marks);
  expect([isRefused(token, marks), isRefused(other, marks)]).toEqual([true, true]);
  forgetRefusal(other, marks);
  expect([isRefused(token, marks), isRefused(other, marks)]).toEqual([true, false]);
});

test("marks are swept when they are older than 2 hours", () => {
  markRefused(token, marks);
  markRefused(other, marks);
  writeFileSync(single, sha256("ghs_third"));
  age(join(marks, sha256("ghs_example")), 119);
  age(join(marks, sha256("ghs_other")), 121);
  age(single, 121);

  sweepRefusals(marks, now);

  expect([isRefused(token, marks), isRefused(other, marks), existsSync(single)]).toEqual([
    true,
    false,
    false,
  ]);
});

test("the single mark of earlier versions is one too, with or without a line end", () => {
  for (const end of ["\n", ""]) {
    writeFileSync(single, `${sha256("ghs_example")}${end}`);
    expect([isRefused(token, marks), isRefused(other, marks)]).toEqual([true, false]);
  }
  forgetRefusal(other, marks);
  expect(isRefused(token, marks)).toBe(true);
  forgetRefusal(token, marks);
  expect([isRefused(token, marks), existsSync(single)]).toEqual([false, false]);
});

test("what is no mark says nothing about a token", () => {
  for (const text of [sha256("ghs_other"), sha256("ghs_example").slice(0, 8), "", "\0".repeat(64)]) {
    writeFileSync(single, text);
    expect(isRefused(token, marks)).toBe(false);
  }
  mkdirSync(join(marks, sha256("ghs_example")), { recursive: true });
  expect(isRefused(token, marks)).toBe(false);
  expect(isRefused(token, join(state, "nowhere/refused"))).toBe(false);
  expect(isRefused(token, join(single, "below a file"))).toBe(false);
  expect(() => sweepRefusals(join(single, "below a file"), now)).not.toThrow();
});
