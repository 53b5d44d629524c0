import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { importsIn } from "./support/imports-in.js";

const src = resolve(import.meta.dirname, "../src");

const page = readFileSync(resolve(import.meta.dirname, "../docs/ARCHITECTURE.md"), "utf8");

/** Which rooms of src/ each room may import from, besides itself and errors.ts: the page's table is the rule. */
const allowed = Object.fromEntries(
  [...page.matchAll(/^\| `([a-z-]+)\/` +\|.*\| ([a-z, -]+?) +\|$/gm)].map(([, room = "", rooms = ""]) => [
    room,
    rooms === "nothing" ? [] : rooms.split(", "),
  ]),
);

const imports = readdirSync(src, { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .flatMap((file) =>
    importsIn(readFileSync(join(src, file), "utf8")).map((specifier) => ({
      file,
      target: relative(src, resolve(src, dirname(file), specifier)),
    })),
  );

/** A file beside the rooms is a room of its own: `errors.ts`, `main.ts`, `index.ts`. */
const roomOf = (path: string) =>
  path.includes("/") ? (path.split("/")[0] ?? "") : path.replace(/\.[jt]s$/, "");

/** All files that are imported in some rooms, however indirectly, and those of the rooms themselves. */
function reachedFrom(...rooms: string[]): Set<string> {
  const reached = new Set<string>();
  const visit = (file: string) => {
    if (reached.has(file)) return;
    reached.add(file);
    for (const { target } of imports.filter((edge) => edge.file === file))
      visit(target.replace(/\.js$/, ".ts"));
  };
  for (const { file } of imports) if (rooms.includes(roomOf(file))) visit(file);
  return reached;
}

describe("imports follow the data", () => {
  test.each(Object.keys(allowed))("src/%s imports only what it may", (room) => {
    const foreign = imports
      .filter(({ file, target }) => roomOf(file) === room && roomOf(target) !== room)
      .filter(({ target }) => !["errors", ...(allowed[room] ?? [])].includes(roomOf(target)));
    expect(foreign).toEqual([]);
  });

  test("the page lists each room below those that it imports from, so that there is no way back up", () => {
    const order = Object.keys(allowed);
    for (const room of order) {
      const above = allowed[room]?.filter((lower) => order.indexOf(lower) >= order.indexOf(room));
      expect({ room, above }).toEqual({ room, above: [] });
    }
  });

  test("every file that the page names is there", () => {
    const files = [...page.matchAll(/`([a-z-]+\/[a-z-]+(?:\/[a-z-]+)?\.ts|[a-z-]+\/[a-z-]+\/)`/g)].map(
      ([, path = ""]) => path,
    );
    expect(files.length).toBeGreaterThan(10);
    expect(files.filter((path) => !existsSync(join(src, path)))).toEqual([]);
  });

  test("every room has its rule", () => {
    const rooms = readdirSync(src, { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.map(({ name }) => name).sort()).toEqual(Object.keys(allowed).sort());
  });

  test("nobody imports the refresh script's program", () => {
    const importers = imports.filter(
      ({ file, target }) => roomOf(target) === "refresh" && roomOf(file) !== "refresh",
    );
    expect(importers).toEqual([]);
  });

  test.each([
    'import { a } from "../refresh/x.js";',
    "import type { a } from '../refresh/x.js';",
    'import "../refresh/x.js";',
    'export * from "../refresh/x.js";',
    'const a = await import("../refresh/x.js");',
    "const a = await import(\n  `../refresh/x.js`\n);",
    'const a = require("../refresh/x.js");',
    'type A = import("../refresh/x.js").A;',
    'new Worker(new URL("../refresh/x.js", import.meta.url));',
  ])("%j is an import", (source) => {
    expect(importsIn(source)).toEqual(["../refresh/x.js"]);
  });

  test("what notify runs does not read the token env file, however indirectly", () => {
    const reached = reachedFrom("notify");
    expect(reached).toContain("token/refresh-log.ts");
    expect([...reached]).not.toContain("token/token-file.ts");
  });

  test("what chat, git and exec run reaches neither the private key nor GitHub, however indirectly", () => {
    const reached = reachedFrom("takopi", "ghauth", "transports", "git", "exec", "notify");
    expect(reached).toContain("token/redact.ts");
    expect([...reached].filter((file) => ["github", "source", "refresh"].includes(roomOf(file)))).toEqual([]);
  });
});
