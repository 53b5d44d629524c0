import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { transports } from "../../src/transports/transports.js";

const src = resolve(import.meta.dirname, "../../src");
const names = transports.map(({ name }) => name);

/** The packages that a file of src/ imports before its first line runs, and those of all that it imports. */
function packagesLoadedBy(file: string): Set<string> {
  const packages = new Set<string>();
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    const text = readFileSync(path, "utf8");
    for (const [, clause = "", specifier = ""] of text.matchAll(
      /^(?:import|export)\b([^"';=(]*?)"([^"]+)"/gm,
    )) {
      if (/^\s*type\b/.test(clause)) continue;
      if (specifier.startsWith(".")) visit(resolve(dirname(path), specifier.replace(/\.js$/, ".ts")));
      else packages.add(specifier);
    }
  };
  visit(join(src, file));
  return packages;
}

describe("a transport is a folder, and a name in one list", () => {
  test("every folder is in the list, under its own name", () => {
    const folders = readdirSync(join(src, "transports"), { withFileTypes: true }).filter((entry) =>
      entry.isDirectory(),
    );
    expect(names.toSorted()).toEqual(folders.map(({ name }) => name).sort());
  });

  test("nothing under takopi/ knows one by name", () => {
    const directory = join(src, "takopi");
    for (const file of readdirSync(directory))
      expect({ file, text: readFileSync(join(directory, file), "utf8") }).not.toMatchObject({
        text: expect.stringMatching(new RegExp(names.join("|"), "i")),
      });
  });

  test.each(["transports/transports.ts", "cli/subcommand-verbs.ts", "cli/command-verb.ts"])(
    "%s loads no chat's library",
    (file) => {
      const packages = packagesLoadedBy(file);
      expect(packages).toContain("zod");
      expect([...packages].filter((name) => /grammy|discord/.test(name))).toEqual([]);
      expect(packagesLoadedBy("transports/telegram/bot.ts")).toContain("grammy");
      expect(packagesLoadedBy("transports/discord/bot.ts")).toContain("discord.js");
    },
  );
});
