import { createHash } from "node:crypto";
import { linkSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { displayPath } from "../system/paths.js";
import { processIdentity } from "../system/process-start.js";
import type { Secret } from "../token/secret.js";

export type InstanceLock = { path: string; release: () => void };

/**
 * Takes Takopi's lock beside a configuration (`takopi.lock` for `takopi.toml`), so that one host at a time serves it.
 * A lock whose process is gone, or whose process number another has by now, is taken over. Rejects with `already_running`.
 */
export function takeInstanceLock(
  configPath: string,
  { botTokens, home }: { botTokens: readonly Secret[]; home: string },
): InstanceLock {
  const path = `${realpathSync(configPath).replace(/\.[^./]*$/, "")}.lock`;
  const text = `${JSON.stringify({
    pid: process.pid,
    token_fingerprint: botTokens.length === 0 ? null : fingerprint(botTokens),
    process: processIdentity(process.pid),
  })}\n`;
  const draft = `${path}.${process.pid}`;
  try {
    writeFileSync(draft, text, { mode: 0o600 });
    // A link either makes the lock or finds one: never half of one.
    while (!tryLink(draft, path)) {
      if (isHeld(readText(path))) throw alreadyRunning(displayPath(path, home));
      setAside(path, `${draft}.stale`);
    }
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    throw new GhauthError("file_unusable", `The lock ${path} cannot be written: ${messageOf(error)}.`, {
      cause: error,
    });
  } finally {
    rmSync(draft, { force: true });
  }
  return {
    path,
    release: () => {
      if (readText(path) === text) rmSync(path, { force: true });
    },
  };
}

/** Takopi's: the first 10 hex digits. */
function fingerprint(botTokens: readonly Secret[]): string {
  const hash = createHash("sha256");
  hash.update(botTokens.map((token) => token.reveal()).join("\n"));
  return hash.digest("hex").slice(0, 10);
}

function tryLink(draft: string, path: string): boolean {
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) === "EEXIST") return false;
    throw error;
  }
}

/** Moves a stale lock away; should another host have replaced it meanwhile, puts that one back. */
function setAside(path: string, aside: string): void {
  try {
    renameSync(path, aside);
    if (isHeld(readText(aside))) tryLink(aside, path);
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return null;
    throw error;
  }
}

function isHeld(text: string | null): boolean {
  const { pid, identity } = parseLock(text);
  if (pid === null || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (errnoOf(error) === "ESRCH") return false;
  }
  // Takopi's own lock tells no more than the number.
  return identity === null || identity === processIdentity(pid);
}

function parseLock(text: string | null): { pid: number | null; identity: string | null } {
  let lock: unknown = null;
  try {
    lock = JSON.parse(text ?? "null");
  } catch {
    // neither Takopi nor we write such a lock: nobody holds it
  }
  if (typeof lock !== "object" || lock === null) return { pid: null, identity: null };
  const pid =
    "pid" in lock && Number.isSafeInteger(lock.pid) && Number(lock.pid) > 0 ? Number(lock.pid) : null;
  return { pid, identity: "process" in lock && typeof lock.process === "string" ? lock.process : null };
}

function alreadyRunning(shownPath: string): GhauthError {
  return new GhauthError("already_running", `error: already running\nremove ${shownPath} if stale`);
}
