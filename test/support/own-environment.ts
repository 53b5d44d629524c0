import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** What the runner needs, what chooses tests, and where temporary files go. */
const kept = /^(?:CI|CHAOS_SEED|TMPDIR|TERM|NODE_ENV|VITEST.*|FORCE_COLOR|NO_COLOR)$/;
const ours = ["ghauth", "git-credential-ghauth", "takopi-refresh-github-token"];

/**
 * Tests mean the programs of this checkout, and no setting but their own: where the product is installed, they find it
 * neither on PATH nor in HOME, and what the user who runs them has set or exported does not reach them.
 */
export function setup(): () => void {
  const root = mkdtempSync(join(tmpdir(), "ghauth-test-environment-"));
  const PATH = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((directory, at) => (hasOurs(directory) ? withoutOurs(directory, join(root, String(at))) : directory))
    .join(delimiter);
  for (const name of Object.keys(process.env)) if (!kept.test(name)) delete process.env[name];
  Object.assign(process.env, { PATH, HOME: join(root, "home"), LANG: "C.UTF-8" });
  mkdirSync(join(root, "home"));
  return () => rmSync(root, { recursive: true, force: true });
}

function hasOurs(directory: string): boolean {
  return ours.some((program) => existsSync(join(directory, program)));
}

/** A directory with what the other has beside our programs, node maybe among it. */
function withoutOurs(directory: string, shadow: string): string {
  mkdirSync(shadow);
  for (const name of readdirSync(directory))
    if (!ours.includes(name)) symlinkSync(join(directory, name), join(shadow, name));
  return shadow;
}
