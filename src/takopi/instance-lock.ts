import { createHash } from "node:crypto";
import { closeSync, constants, ftruncateSync, realpathSync, rmSync, writeSync } from "node:fs";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { takeFileLock } from "../files/file-lock.js";
import { openRegularFile, readIfThere } from "../files/regular-file.js";
import { displayPath } from "../system/paths.js";
import { processIdentity } from "../system/process-start.js";
import type { Secret } from "../token/secret.js";

/** `complaint` is null, or why only the pid in it guards the lock. */
export type InstanceLock = { path: string; complaint: string | null; release: () => void };

const patienceMs = 200;

/**
 * Takes Takopi's lock beside a configuration (`takopi.lock` for `takopi.toml`), so that one host at a time serves it.
 * Our hosts know each other by flock(2), which holds between containers too; the pid in the file is told for Takopi
 * and for people. Takopi takes no flock: its lock is held while the pid in it lives. Rejects with `already_running`.
 */
export async function takeInstanceLock(
  configPath: string,
  { botTokens, home }: { botTokens: readonly Secret[]; home: string },
): Promise<InstanceLock> {
  const path = lockPathOf(configPath);
  const whenHeld = () => alreadyRunning(displayPath(path, home));
  const lock = await takeFileLock(path, { timeoutMs: patienceMs, whenHeld });
  const text = `${JSON.stringify({
    pid: process.pid,
    token_fingerprint: botTokens.length === 0 ? null : fingerprint(botTokens),
    process: processIdentity(process.pid),
  })}\n`;
  try {
    if (isHeld(readIfThere(path)?.text ?? null)) throw whenHeld();
    overwrite(path, text);
  } catch (error) {
    lock.release();
    if (error instanceof GhauthError) throw error;
    throw new GhauthError("file_unusable", `The lock ${path} cannot be written: ${messageOf(error)}.`, {
      cause: error,
    });
  }
  let isReleased = false;
  return {
    path,
    complaint: lock.complaint,
    release: () => {
      if (isReleased) return;
      isReleased = true;
      if ((readIfThere(path)?.text ?? null) === text) rmSync(path, { force: true });
      lock.release();
    },
  };
}

/** Who serves a configuration by its lock, as far as can be seen from here; null where nobody does. */
export function readLockHolder(configPath: string): { pid: number; isOurs: boolean } | null {
  try {
    const text = readIfThere(lockPathOf(configPath))?.text ?? null;
    const lock = parseLock(text);
    return lock !== null && isHeld(text) ? { pid: lock.pid, isOurs: lock.isOurs } : null;
  } catch {
    return null; // no configuration, or a lock that is not ours to read
  }
}

function lockPathOf(configPath: string): string {
  return `${realpathSync(configPath).replace(/\.[^./]*$/, "")}.lock`;
}

/** In place, for the lock is this very file's; never empty meanwhile, for Takopi would take an empty one over. */
function overwrite(path: string, text: string): void {
  const { file } = openRegularFile(path, { flags: constants.O_WRONLY | constants.O_CREAT });
  try {
    ftruncateSync(file, writeSync(file, text));
  } finally {
    closeSync(file);
  }
}

/** Takopi's: the first 10 hex digits. */
function fingerprint(botTokens: readonly Secret[]): string {
  const hash = createHash("sha256");
  hash.update(botTokens.map((token) => token.reveal()).join("\n"));
  return hash.digest("hex").slice(0, 10);
}

/** Whether the process that a lock tells of holds it, flock or not: Takopi, or a host of ours from before it took one. */
function isHeld(text: string | null): boolean {
  const lock = parseLock(text);
  if (lock === null || lock.pid === process.pid) return false;
  try {
    process.kill(lock.pid, 0);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
  }
  // Takopi tells no more than the number. A number of ours may be another's by now, or one in another container.
  return !lock.isOurs || (lock.identity !== null && lock.identity === processIdentity(lock.pid));
}

type LockText = { pid: number; isOurs: boolean; identity: unknown };

function parseLock(text: string | null): LockText | null {
  let lock: unknown = null;
  try {
    lock = JSON.parse(text ?? "null");
  } catch {
    // neither Takopi nor we write such a lock: nobody holds it
  }
  if (typeof lock !== "object" || lock === null || !("pid" in lock)) return null;
  const pid = Number(lock.pid);
  if (!Number.isSafeInteger(lock.pid) || pid <= 0) return null;
  return "process" in lock
    ? { pid, isOurs: true, identity: lock.process }
    : { pid, isOurs: false, identity: null };
}

function alreadyRunning(shownPath: string): GhauthError {
  return new GhauthError("already_running", `error: already running\nremove ${shownPath} if stale`);
}
