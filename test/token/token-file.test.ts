import { execFileSync } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import {
  parseTokenFile,
  readTokenFile,
  renderTokenFile,
  writeTokenFile,
} from "../../src/token/token-file.js";
import { judgeTokenFile } from "../../src/token/judge-token-file.js";
import { prefixOf } from "../../src/token/installation-token.js";
import { Secret } from "../../src/token/secret.js";

const token = "ghs_0123456789abcdefghijklmnopqrstuvwxyz";
const root = mkdtempSync(join(tmpdir(), "ghauth-test-"));
afterAll(() => rmSync(root, { recursive: true }));

describe("a token env file is read as people and tools write such files", () => {
  const at = "2026-11-21T23:00:00Z";
  test.each([
    [
      "as we write it",
      `GITHUB_TOKEN=${token}\nGH_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=1795302000\n`,
      at,
    ],
    ["with the ISO expiry alone", `GITHUB_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_AT=${at}\n`, at],
    ["with double quotes", `GITHUB_TOKEN="${token}"\n`, null],
    ["with single quotes", `GITHUB_TOKEN='${token}'\n`, null],
    ["with export", `export GITHUB_TOKEN=${token}\n`, null],
    ["with comments and blank lines", `# made by hand\n\n  GITHUB_TOKEN = ${token}\n`, null],
    [
      "with a byte order mark and CRLF",
      `\uFEFFGITHUB_TOKEN=${token}\r\nGITHUB_TOKEN_EXPIRES_EPOCH=1795302000\r\n`,
      at,
    ],
    ["with GH_TOKEN alone", `GH_TOKEN=${token}`, null],
    ["with an empty GITHUB_TOKEN", `GITHUB_TOKEN=\nGH_TOKEN=${token}`, null],
    ["with a comment that holds quotes", `GITHUB_TOKEN="${token}" # the "new" one\n`, null],
    ["with garbage around", `garbage\n=\n\0\nGITHUB_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=soon\n`, null],
  ])("%s", (_how, text, expiresAt) => {
    const parsed = parseTokenFile(text);
    expect(parsed?.secret.reveal()).toBe(token);
    expect(parsed?.expiresAt ?? null).toEqual(expiresAt === null ? null : new Date(expiresAt));
  });

  test.each([
    "",
    "GITHUB_TOKEN=",
    "OTHER=1",
    "GITHUB_TOKEN=two words here",
    "GITHUB_TOKEN=$(cat /etc/passwd)",
  ])("%j holds no token", (text) => {
    expect(parseTokenFile(text)).toBeNull();
  });

  test("what is written reads back the same", () => {
    const expiresAt = new Date("2026-11-21T23:00:00Z");
    const parsed = parseTokenFile(renderTokenFile({ secret: new Secret(token), expiresAt }));
    expect([parsed?.secret.reveal(), parsed?.expiresAt]).toEqual([token, expiresAt]);
  });
});

describe("a token env file is judged", () => {
  const now = new Date("2026-11-21T22:00:00Z");
  const at = (minutes: number) => new Date(now.getTime() + minutes * 60_000);
  const file = ({ left, age = 10, mode = 0o600 }: { left: number | null; age?: number; mode?: number }) => {
    const path = join(root, "github-token.env");
    const expiresAt = left === null ? null : at(left);
    writeFileSync(path, renderTokenFile({ secret: new Secret(token), expiresAt }));
    chmodSync(path, mode);
    utimesSync(path, now, at(-age));
    return readTokenFile(path);
  };
  const judge = (found: ReturnType<typeof readTokenFile>, refused = false) =>
    judgeTokenFile(found, { now, maxAgeMs: 55 * 60_000, refused });

  test.each([
    ["fresh with 50 minutes left", { left: 50 }, "fresh"],
    ["fresh with 5 minutes left", { left: 5 }, "fresh"],
    ["stale with under 5 minutes left", { left: 4.9 }, "stale"],
    ["stale when older than the limit", { left: 30, age: 56 }, "stale"],
    ["expired at its expiry", { left: 0 }, "expired"],
    ["expired long ago", { left: -600, age: 660 }, "expired"],
    ["insecure when its group can read it", { left: 50, mode: 0o640 }, "insecure"],
    ["insecure when the world can read it, even expired", { left: -5, mode: 0o604 }, "insecure"],
    ["fresh without a known expiry", { left: null }, "fresh"],
    ["stale by age without a known expiry", { left: null, age: 58 }, "stale"],
    ["expired an hour after it was written, without a known expiry", { left: null, age: 60 }, "expired"],
  ] as const)("%s", (_claim, how, state) => {
    expect(judge(file(how))).toBe(state);
  });

  test("stale when GitHub refused it", () => {
    expect(judge(file({ left: 50 }), true)).toBe("stale");
  });

  test("missing when there is no file, or one without a token", () => {
    const empty = join(root, "empty.env");
    writeFileSync(empty, "", { mode: 0o600 });
    expect([judge(readTokenFile(join(root, "none/at/all"))), judge(readTokenFile(empty))]).toEqual([
      "missing",
      "missing",
    ]);
  });

  test("unreadable when it is a directory, or too large to be one", () => {
    const large = join(root, "large.env");
    writeFileSync(large, "x".repeat(70_000));
    expect([judge(readTokenFile(root)), judge(readTokenFile(large))]).toEqual(["unreadable", "unreadable"]);
  });
});

test.each([
  [token, "ghs_0123"],
  ["ghs_123456_eyJhbGciOi.x.y", "ghs_1234"],
  ["github_pat_11ABCDEFG", "github_pat_11AB"],
  ["s.vaultvaultvault", "s.va"],
])("of %s only %s is ever shown", (value, prefix) => {
  expect(prefixOf({ secret: new Secret(value), expiresAt: null })).toBe(prefix);
});

test("sh reads the file as we do", () => {
  const path = join(root, "sh.env");
  const value = `ghs_123_${"aB3-_.".repeat(80)}`;
  writeTokenFile(path, { secret: new Secret(value), expiresAt: new Date(1_800_000_000_987) });
  const print =
    '. "$0"; printf "%s %s %s %s" "$GITHUB_TOKEN" "$GH_TOKEN" "$GITHUB_TOKEN_EXPIRES_AT" "$GITHUB_TOKEN_EXPIRES_EPOCH"';

  const words = execFileSync("sh", ["-c", print, path], { encoding: "utf8" }).split(" ");

  expect(words).toEqual([value, value, "2027-01-15T08:00:00Z", "1800000000"]);
});
