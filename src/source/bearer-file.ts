import { GhauthError, messageOf } from "../errors.js";
import { isInMemory } from "../files/in-memory.js";
import { readRegularFile } from "../files/regular-file.js";
import { shellWord } from "../files/shell-word.js";
import { Secret } from "../token/secret.js";

/**
 * Reads this host's bearer token. Throws `config_invalid`, also where others can read the file: in memory (tmpfs) that
 * is as Kubernetes mounts it, but nobody else may write to it there either.
 */
export function readBearerFile(path: string): Secret {
  const { text, mode } = read(path);
  const forbidden = (mode & 0o022) === 0 && isInMemory(path) ? 0 : 0o077;
  if ((mode & forbidden) !== 0) {
    throw invalid(
      `${path} can be read or written by others (mode ${mode.toString(8).padStart(4, "0")}): run chmod 600 ${shellWord(path)}, and have the broker give this host a new bearer token if somebody else may have read it`,
    );
  }
  const bearer = text.trim();
  if (/^[\x21-\x7e]+$/.test(bearer)) return new Secret(bearer);
  throw invalid(`${path} must hold one bearer token and nothing else`);
}

function read(path: string): { text: string; mode: number } {
  try {
    const { text, stats } = readRegularFile(path);
    return { text, mode: stats.mode & 0o777 };
  } catch (error) {
    throw invalid(`${path} cannot be read: ${messageOf(error)}`, error);
  }
}

function invalid(complaint: string, cause?: unknown): GhauthError {
  return new GhauthError("config_invalid", `GHAUTH_BROKER_TOKEN_FILE ${complaint}.`, { cause });
}
