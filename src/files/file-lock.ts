import { once } from "node:events";
import { closeSync, constants, fstatSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errnoOf, type GhauthError, messageOf } from "../errors.js";
import { openRegularFile } from "./regular-file.js";
import { ensureDirectory } from "./atomic-file.js";

/** `complaint` is null, or why the lock could not be taken; `release` lets the next one go on. */
export type FileLock = { complaint: string | null; release: () => void };

export type FileLockOptions = {
  timeoutMs: number;
  /** What is said where another still holds the lock after `timeoutMs`. */
  whenHeld: () => GhauthError;
  signal?: AbortSignal;
  /** A descriptor on which whoever started us may have taken the lock already. */
  descriptor?: string | undefined;
};

const heldByAnother = 75;

/**
 * Takes a lock: flock(2) on a file that stays open, by util-linux's `flock` on our descriptor, so that the kernel
 * drops it however we die. A host on which that cannot work goes on without: see `complaint`. Rejects with `whenHeld`
 * after `timeoutMs`, with an AbortError at `signal`.
 */
export async function takeFileLock(path: string, options: FileLockOptions): Promise<FileLock> {
  const inherited = inheritLock(path, options.descriptor);
  if (inherited) return inherited;
  let file: number;
  try {
    ensureDirectory(dirname(path));
    ({ file } = openRegularFile(path, { flags: constants.O_WRONLY | constants.O_CREAT }));
  } catch (error) {
    return { complaint: `the lock ${path} cannot be opened (${messageOf(error)})`, release: () => {} };
  }
  const lock = { complaint: null, release: () => closeSync(file) };
  try {
    const exitCode = await runFlock(file, options);
    if (exitCode === 0) {
      if (isSameFile(path, file)) return lock;
      lock.release(); // its last holder removed it meanwhile
      return await takeFileLock(path, options);
    }
    if (exitCode !== heldByAnother) return { ...lock, complaint: `flock ended with ${exitCode}` };
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return { ...lock, complaint: "flock (util-linux) is not installed" };
    lock.release();
    throw error;
  }
  lock.release();
  throw options.whenHeld();
}

/**
 * The lock as the script that started us took it, on the descriptor that it names: a shell does that in 2 ms, and Node
 * in 12. Null where it took none, or another file's.
 */
function inheritLock(path: string, descriptor: string | undefined): FileLock | null {
  if (descriptor === undefined || !/^[3-9]$/.test(descriptor)) return null;
  const file = Number(descriptor);
  return isSameFile(path, file) ? { complaint: null, release: () => closeSync(file) } : null;
}

/** Whether a descriptor is the file's that is at `path` now; not so where there is no such descriptor, or no such file. */
function isSameFile(path: string, descriptor: number): boolean {
  try {
    const [held, found] = [fstatSync(descriptor), statSync(path)];
    return held.ino === found.ino && held.dev === found.dev;
  } catch {
    return false;
  }
}

async function runFlock(
  file: number,
  { timeoutMs, signal }: Pick<FileLockOptions, "timeoutMs" | "signal">,
): Promise<number | null> {
  const seconds = (Math.max(0, timeoutMs) / 1000).toFixed(3);
  const words = ["--exclusive", "--timeout", seconds, "--conflict-exit-code", String(heldByAnother), "3"];
  const { spawn } = await import("node:child_process");
  const child = spawn("flock", words, {
    stdio: ["ignore", "ignore", "ignore", file],
    ...(signal && { signal }),
    env: { PATH: process.env["PATH"] },
  });
  await once(child, "exit");
  return child.exitCode;
}
