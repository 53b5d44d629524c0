import { dirname, join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { GhauthError } from "../errors.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { withBriefLock } from "../files/brief-lock.js";
import { takeFileLock } from "../files/file-lock.js";
import type { Paths } from "../system/paths.js";
import type { KnownClient } from "./clients.js";
import { parseClients, readClientsText } from "./clients-file.js";

/** What broker.toml is to become: its text, and the clients that it must then name. */
export type Change = (text: string, clients: KnownClient[]) => { text: string; clients: KnownClient[] };

const lockTimeoutMs = 10_000;

/**
 * Changes broker.toml while nobody else does. Rejects with `lock_timeout` where somebody else does so for too long, and
 * with `config_invalid` where the file is no good, or is written so that the change would do something else.
 */
export async function changeClients(path: string, { refreshLock }: Paths, change: Change): Promise<void> {
  const lockFile = join(dirname(refreshLock), "broker-clients.lock");
  const lock = await takeFileLock(lockFile, {
    timeoutMs: lockTimeoutMs,
    whenHeld: () =>
      new GhauthError(
        "lock_timeout",
        `Another ghauth broker client has held ${lockFile} for ${lockTimeoutMs / 1000} s, and ${path} is as it was: if that one hangs, end it, and try again.`,
      ),
  });
  try {
    if (lock.complaint === null) replace(path, change);
    else withBriefLock(`${path}.lock`, () => replace(path, change));
  } finally {
    lock.release();
  }
}

function replace(path: string, change: Change): void {
  const old = readClientsText(path) ?? "";
  const { text, clients } = change(old, parseClients(old, path) ?? []);
  if (!names(text, clients)) {
    throw new GhauthError(
      "config_invalid",
      `${path} does not have each client as a table [clients.NAME] of its own, and was not changed: change it by hand.`,
    );
  }
  writeFileAtomically(path, text);
}

function names(text: string, clients: KnownClient[]): boolean {
  try {
    return isDeepStrictEqual(parseClients(text, "") ?? [], clients);
  } catch {
    return false;
  }
}
