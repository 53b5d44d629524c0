import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { Secret } from "../../src/token/secret.js";

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
