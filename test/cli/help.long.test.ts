import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { ghauth } from "../../src/cli/verbs.js";
import { everyVerb } from "../support/every-verb.js";
import { createMachine } from "../support/machine.js";

const manifest: { version: string } = JSON.parse(
  readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
);
const verbs = everyVerb(ghauth);

test.each(["--version", "-V"])("ghauth %s is the package's version", async (flag) => {
  await using machine = await createMachine();
  expect(await machine.ghauth([flag])).toMatchObject({
    exitCode: 0,
    stdout: `${manifest.version}\n`,
    stderr: "",
  });
});

test.each(verbs.map(({ path }) => path.join(" ")))(
  "ghauth %s --help, -h, and ghauth help: the same, on stdout, with all that it takes",
  async (name) => {
    await using machine = await createMachine();
    const path = name.split(" ").filter(Boolean);
    const { verb } = verbs.find((each) => each.path.join(" ") === name) ?? {};
    const asked = await machine.ghauth([...path, "--help"]);
    expect(asked).toMatchObject({ exitCode: 0, stderr: "" });
    expect(asked.stdout.split("\n")[0]).toMatch(new RegExp(`^Usage: ghauth ${name}`.trimEnd()));
    const terms = [
      ...Object.keys(verb?.options ?? {}).map((flags) => flags.replace(/\.\.\.$/, "")),
      ...Object.keys(verb?.variables ?? {}),
      ...Object.keys(verb?.verbs ?? {}),
    ];
    for (const term of terms) expect(asked.stdout).toContain(`\n  ${term}`);
    expect(await machine.ghauth([...path, "-h"])).toEqual(asked);
    // `ghauth help` alone is what /ghauth says.
    const other = path.length > 0 ? ["help", ...path] : ["--help"];
    expect(await machine.ghauth(other)).toEqual(asked);
  },
);

test("help that is asked for in the middle of a command line is of that verb, and nothing is done", async () => {
  await using machine = await createMachine();
  const { exitCode, stdout } = await machine.ghauth(["broker", "client", "add", "build-1", "--help"]);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Usage: ghauth broker client add /);
});
