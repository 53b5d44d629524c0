import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { onTestFinished } from "vitest";

/** A directory of this test's own. */
export function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "ghauth-test-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A file that Node can run as a child process, from TypeScript that imports from `src/`. */
export async function bundle(source: string): Promise<string> {
  const outfile = join(makeDirectory(), "program.cjs");
  await build({
    stdin: { contents: source, resolveDir: join(import.meta.dirname, "../../src"), loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile,
    logLevel: "error",
  });
  return outfile;
}

/** Whether a test that needs a program (or root) must be skipped: never on a build machine, where it then fails. */
export function isSkipped(isMissing: boolean): boolean {
  return isMissing && process.env["CI"] !== "true";
}

export function isInstalled(program: string): boolean {
  return spawnSync(program, ["--version"]).error === undefined;
}
