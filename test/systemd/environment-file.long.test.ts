import { describe, expect, test } from "vitest";
import { editEnvFile } from "../../src/files/env-file.js";
import { oddEnvLines } from "../support/odd-env-lines.js";
import { createUserManager, noUserManager } from "../support/user-manager.js";

/** What systemd reads from env files of these texts, each of which sets NAME. */
async function readBySystemd(texts: readonly string[]): Promise<(string | null)[]> {
  await using host = await createUserManager({ home: "/home/operator" });
  const properties = texts.map((text, at) => {
    host.write(`odd/${at}.env`, text.replaceAll("NAME", `V${at}`));
    return `--property=EnvironmentFile=${host.home}/odd/${at}.env`;
  });
  const { exitCode, stdout, stderr } = await host.run([
    "systemd-run",
    "--user",
    "--wait",
    "--pipe",
    "--quiet",
    ...properties,
    "env",
    "-0",
  ]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const read = new Map(stdout.split("\0").map((line) => [line.split("=")[0], line.replace(/^[^=]*=/, "")]));
  return texts.map((_text, at) => read.get(`V${at}`) ?? null);
}

describe.skipIf(noUserManager !== null)(
  `systemd's EnvironmentFile= (${noUserManager ?? "real systemd"})`,
  () => {
    test("it reads odd lines as this package does, or otherwise for a reason", async () => {
      const read = await readBySystemd(oddEnvLines.map(({ text }) => text));
      const expected = oddEnvLines.map(({ what, value, systemd }) => [what, systemd ? systemd.value : value]);
      expect(Object.fromEntries(oddEnvLines.map(({ what }, at) => [what, read[at]]))).toEqual(
        Object.fromEntries(expected),
      );
    });

    test("what this package writes, it reads as it was", async () => {
      const values = [
        "a b",
        " a ",
        `"a"`,
        "'a'",
        `a "b" 'c'`,
        "a\\b",
        "a\\",
        "$HOME `id`",
        "# a",
        "a # b",
        "100%h",
        "~",
        "é",
      ];
      const texts = values.map((value) => editEnvFile("", new Map([["NAME", value]])));
      expect(await readBySystemd(texts)).toEqual(values);
    });
  },
);
