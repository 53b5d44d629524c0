import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "vitest";

/** Skips a test for a program that this machine lacks, and says so; where CI=true it fails instead. */
export function needs({ skip }: Pick<TestContext, "skip">, ...programs: string[]): void {
  const missing = programs.find((program) => !isOnPath(program));
  if (missing === undefined) return;
  if (process.env["CI"] === "true") throw new Error(`${missing} is not installed, and CI tests with it`);
  skip(`${missing} is not installed`);
}

function isOnPath(program: string): boolean {
  return (process.env["PATH"] ?? "").split(":").some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** The same for a test that only root can run, with mounts of its own. */
export function needsRoot(context: Pick<TestContext, "skip">): void {
  needs(context, "unshare");
  if (process.getuid?.() === 0) return;
  if (process.env["CI"] === "true") throw new Error("CI runs this test as root");
  context.skip("only root can have mounts of its own");
}
