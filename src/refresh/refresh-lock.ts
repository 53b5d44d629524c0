import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, GhauthError } from "../errors.js";

/**
 * Takes the refresh lock for the rest of this process: flock(2) on a file that stays open, by util-linux's `flock`
 * on our descriptor, so that the kernel drops it however we die. Answers false where `flock` is not installed.
 * Rejects with `lock_timeout` after `timeoutMs`.
 */
export async function takeRefreshLock(path: string, { timeoutMs }: { timeoutMs: number }): Promise<boolean> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const file = openSync(path, "a", 0o600);
  const seconds = (Math.max(0, timeoutMs) / 1000).toFixed(3);
  const child = spawn("flock", ["--exclusive", "--timeout", seconds, "3"], {
    stdio: ["ignore", "ignore", "ignore", file],
  });
  try {
    await once(child, "exit");
    if (child.exitCode === 0) return true;
  } catch (error) {
    closeSync(file);
    if (errnoOf(error) === "ENOENT") return false;
    throw error;
  }
  closeSync(file);
  throw new GhauthError(
    "lock_timeout",
    `Another refresh has held ${path} for ${Math.round(timeoutMs / 1000)} s: if it hangs, end it.`,
  );
}
