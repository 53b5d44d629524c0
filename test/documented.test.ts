import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { format } from "prettier";
import { expect, test } from "vitest";
import { ghauth } from "../src/cli/verbs.js";
import { renderHelp } from "../src/command-line/parse-words.js";
import { verb } from "../src/command-line/verb.js";
import { subcommands } from "../src/ghauth/subcommands/subcommands.js";
import { commandLine } from "../src/refresh/command-line.js";
import { everyVerb } from "./support/every-verb.js";
import { createMachine } from "./support/machine.js";
import { renderVerbTable } from "./support/verb-table.js";

const checkout = join(import.meta.dirname, "..");
const read = (path: string) => readFileSync(join(checkout, path), "utf8");
const readme = read("README.md");

const refreshName = "takopi-refresh-github-token";
const refreshProgram = verb({ ...commandLine, load: async () => ({ main: () => 0 }) });
const setupScripts = ["bootstrap_user_refresh.sh", "install_local.sh", "uninstall_user_refresh.sh"];

/** Every variable whose name stands in the code; what is no variable, or nobody's to set, has its reason here. */
const notForUsers = new Set(
  [
    // handed on by our own programs
    ["GHAUTH_BY", "GHAUTH_LOCK_FD", "GHAUTH_RUN_REFRESH_WITH", "GHAUTH_SEEN_EPOCH", "GHAUTH_TRIGGER"],
    // set by the system or the shell
    ["XDG_RUNTIME_DIR", "BASH_REMATCH", "BASH_SOURCE", "BASH_VERSION"],
    // what we write
    ["GITHUB_TOKEN_EXPIRES_AT", "GITHUB_TOKEN_EXPIRES_EPOCH"],
    ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"],
    // taken away from what we run
    ["NODE_DEBUG"],
  ].flat(),
);

const variables = [
  ...new Set([
    ...sources("src", ".ts").flatMap((text) => namesIn(text, /"([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"/g)),
    ...sources("src/source", ".ts").flatMap((text) =>
      namesIn(text, /^ {2}([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+): /gm),
    ),
    ...sources("scripts", "").flatMap((text) => namesIn(text, /\$[{!]*([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)/g)),
  ]),
].filter((name) => !notForUsers.has(name));

function sources(directory: string, ending: string): string[] {
  return readdirSync(join(checkout, directory), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(ending))
    .filter(({ parentPath }) => !parentPath.includes("stand-in"))
    .map(({ parentPath, name }) => readFileSync(join(parentPath, name), "utf8"));
}

function namesIn(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].flatMap(([, name]) => name ?? []);
}

/** What all programs and scripts say of themselves. */
async function everyHelp(): Promise<string> {
  await using machine = await createMachine();
  const others = await Promise.all(
    ["git-credential-ghauth", ...setupScripts].map(async (name) => {
      const { exitCode, stdout, stderr } = await machine.run([join(checkout, "scripts", name), "--help"]);
      expect({ name, exitCode, stderr }).toEqual({ name, exitCode: 0, stderr: "" });
      return stdout;
    }),
  );
  const verbs = everyVerb(ghauth).map(({ path }) => renderHelp({ name: "ghauth", program: ghauth }, path));
  return [...verbs, renderHelp({ name: refreshName, program: refreshProgram }, []), ...others].join("\n");
}

test("every variable that the code reads is in a help text and in README", async () => {
  const help = await everyHelp();
  const isIn = (text: string) => (name: string) => new RegExp(`\\b${name}\\b`).test(text);
  expect(variables.length).toBeGreaterThan(25);
  expect(variables.filter((name) => !isIn(help)(name))).toEqual([]);
  expect(variables.filter((name) => !isIn(readme)(name))).toEqual([]);
});

test("every variable that a help text names is read somewhere", () => {
  const code = [...sources("src", ".ts"), ...sources("scripts", "")].join("\n");
  const named = [...everyVerb(ghauth), ...everyVerb(refreshProgram)].flatMap((each) =>
    Object.keys(each.verb.variables ?? {}),
  );
  // Its row of the table is where it is named, and must not be the only place.
  expect(named.filter((name) => code.split(name).length < 3)).toEqual([]);
});

test("every option of every program and script is in README", () => {
  const scripts = setupScripts.flatMap((name) =>
    (/^known_options=\((.*)\)$/m.exec(read(`scripts/${name}`))?.[1] ?? "").split(" "),
  );
  const options = [...everyVerb(ghauth), ...everyVerb(refreshProgram)].flatMap((each) =>
    Object.keys(each.verb.options ?? {}).map((flags) => flags.split(" ")[0] ?? ""),
  );
  expect([...options, ...scripts].filter((option) => !readme.includes(option))).toEqual([]);
});

test("README's table of commands is the command lines' own (vitest -u writes it)", async () => {
  const tables = [renderVerbTable("ghauth", ghauth), renderVerbTable(refreshName, refreshProgram)];
  const [head = "", ...rows] = tables.flatMap((table, index) => table.split("\n").slice(index === 0 ? 0 : 2));
  const marked = /(<!-- every command[^>]*-->\n)[\s\S]*?(\n<!-- end -->)/;
  expect(readme).toMatch(marked);
  const written = readme.replace(marked, (_all, begin: string, end: string) =>
    [begin, head, ...rows, end].join("\n"),
  );
  const options: { printWidth: number } = JSON.parse(read(".prettierrc.json"));
  await expect(await format(written, { ...options, parser: "markdown" })).toMatchFileSnapshot("../README.md");
});

test("every subcommand of /ghauth is a verb of ghauth, with a row in README's table for chat", () => {
  const names = subcommands.map(({ name }) => name);
  expect(Object.keys(ghauth.verbs ?? {})).toEqual(expect.arrayContaining(names));
  expect(names.filter((name) => !new RegExp(`^\\| \`${name}[\` ]`, "m").test(readme))).toEqual([]);
});
