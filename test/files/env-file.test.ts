import { expect, test } from "vitest";
import { editEnvFile, parseEnvFile } from "../../src/files/env-file.js";
import { createMachine, executables } from "../support/machine.js";
import { oddEnvLines } from "../support/odd-env-lines.js";
import { createRandom } from "../support/random.js";

test.for(oddEnvLines)("$what: $text", ({ text, value }) => {
  expect(parseEnvFile(text).get("NAME") ?? null).toBe(value);
});

test("a script that asks the refresh program reads each odd line as it does", async () => {
  await using machine = await createMachine();
  const name = "GHAUTH_BROKER_WORKSPACE";
  const script = `settings=$("$1" --settings) || exit; unset ${name}; eval "$settings"; printf %s "\${${name}-}"`;
  const settings = machine.read(machine.paths.appEnvFile);
  const read = new Map<string, string>();
  // One start of the program for each.
  for (const { what, text } of oddEnvLines) {
    machine.write(machine.paths.appEnvFile, `${text.replaceAll("NAME", name)}\n${settings}`);
    const { exitCode, stdout } = await machine.run(["sh", "-uc", script, "sh", executables.refresh]);
    expect({ what, exitCode }).toEqual({ what, exitCode: 0 });
    read.set(what, stdout);
  }
  expect(Object.fromEntries(read)).toEqual(
    Object.fromEntries(oddEnvLines.map(({ what, value }) => [what, value ?? ""])),
  );
}, 120_000);

test("an edited file keeps every line that somebody wrote and that says nothing else than is wanted", () => {
  const text = [
    "\uFEFF# ours, don't touch\n",
    "export A = 'a'  # as it was\r\n",
    "\n",
    "B=1\n",
    "nonsense\n",
    "B=2\n",
    "C=gone\n",
    "# the end",
  ].join("");
  const values = new Map([
    ["A", "a"],
    ["B", "3"],
    ["C", null],
    ["D", " new "],
    ["E", null],
  ]);

  expect(editEnvFile(text, values)).toBe(
    "\uFEFF# ours, don't touch\nexport A = 'a'  # as it was\r\n\nB=3\nnonsense\n# the end\nD=\" new \"\n",
  );
});

test("whatever value is written is read again, whatever stood there before", () => {
  const random = createRandom(7);
  const pieces = [
    "a",
    " ",
    "\t",
    '"',
    "'",
    "\\",
    "#",
    "$",
    "`",
    "=",
    ";",
    "%",
    "~",
    "é",
    "export ",
    "\uFEFF",
  ];
  const anyText = () =>
    Array.from({ length: Math.floor(random() * 7) }, () => pieces[Math.floor(random() * pieces.length)]).join(
      "",
    );
  const misread = Array.from({ length: 20_000 }, () => ({ before: anyText(), value: anyText() })).filter(
    ({ before, value }) =>
      parseEnvFile(editEnvFile(`X=${before}`, new Map([["X", value]]))).get("X") !== value,
  );
  expect(misread).toEqual([]);
});

test("a value with a line break is refused, by the name of its variable", () => {
  expect(() => editEnvFile("", new Map([["GITHUB_API_URL", "https://a\nB=c"]]))).toThrow(
    "GITHUB_API_URL must be on one line",
  );
});
