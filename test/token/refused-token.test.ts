import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { isRefused } from "../../src/token/refused-token.js";
import { Secret } from "../../src/token/secret.js";
import { sha256 } from "../support/git-host.js";

const directory = mkdtempSync(join(tmpdir(), "ghauth-test-"));
const mark = join(directory, "refused-token");
afterAll(() => rmSync(directory, { recursive: true }));

const token = new Secret("ghs_example");

test("a token is refused where the mark holds its SHA-256, with or without a line end", () => {
  for (const end of ["\n", ""]) {
    writeFileSync(mark, `${sha256("ghs_example")}${end}`);
    expect(isRefused(token, mark)).toBe(true);
  }
});

test("another token's mark, a damaged one, and none at all say nothing about a token", () => {
  for (const text of [sha256("ghs_other"), sha256("ghs_example").slice(0, 8), "", "\0".repeat(64)]) {
    writeFileSync(mark, text);
    expect(isRefused(token, mark)).toBe(false);
  }
  expect(isRefused(token, join(directory, "nowhere"))).toBe(false);
  expect(isRefused(token, directory)).toBe(false);
  expect(isRefused(token, join(mark, "below a file"))).toBe(false);
});
