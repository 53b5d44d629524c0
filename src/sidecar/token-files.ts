import { readFileSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { errnoOf, messageOf } from "../errors.js";
import { explainWrite } from "../files/write-failure.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { removeAbandoned } from "../files/scratch.js";
import type { InstallationToken } from "../token/installation-token.js";
import { isoSeconds } from "../token/token-file.js";
import { assumedLifeMs } from "../token/judge-token-file.js";

/** The file that other containers read; `mode` is its permission bits. */
export type TokenOutput = { tokenFile: string; mode: number };

/**
 * Publishes a bare token, and then its expiry beside it: whoever is killed in between leaves an expiry that is too
 * early, never one that is too late. Throws `write_failed` or `file_unusable`; what was there stays.
 */
export function writeTokenOutput(
  { tokenFile, mode }: TokenOutput,
  { secret, expiresAt }: InstallationToken,
  now: Date,
): void {
  const expiry = {
    expires_at: expiresAt && isoSeconds(expiresAt),
    refreshed_at: isoSeconds(now),
    sha256: secret.fingerprint,
  };
  try {
    writeFileAtomically(tokenFile, secret.reveal(), mode);
    writeFileAtomically(expiryFileOf(tokenFile), `${JSON.stringify(expiry)}\n`, mode);
  } catch (error) {
    throw explainWrite(error, "The token file", tokenFile);
  }
}

/** Removes what a killed predecessor left beside the token. */
export function clearTokenDirectory({ tokenFile }: TokenOutput): void {
  for (const path of [tokenFile, expiryFileOf(tokenFile)]) removeAbandoned(dirname(path), basename(path));
}

/** When the published token expires, on this host's clock; null where there is none or nobody knows. Never throws. */
export function readExpiry({ tokenFile }: TokenOutput): Date | null {
  try {
    return parseExpiry(readFileSync(expiryFileOf(tokenFile), "utf8"));
  } catch {
    return null; // whatever is wrong there, the next token is written over it, or the write says why it can't
  }
}

export type Health = { isHealthy: boolean; sentence: string };

const enoughMs = 10 * 60_000;

/** Whether a token is there that has at least 10 minutes left; never throws. */
export function readHealth(output: TokenOutput, now: Date): Health {
  const { tokenFile } = output;
  try {
    if (statSync(tokenFile).size === 0) return ill(`${tokenFile} is empty.`);
    const expiresAt = parseExpiry(readFileSync(expiryFileOf(tokenFile), "utf8"));
    if (!expiresAt) return ill(`${expiryFileOf(tokenFile)} does not say when the token expires.`);
    const leftMs = expiresAt.getTime() - now.getTime();
    const sentence = `The token has ${Math.max(0, Math.floor(leftMs / 60_000))} min left.`;
    return { isHealthy: leftMs >= enoughMs, sentence };
  } catch (error) {
    return ill(
      errnoOf(error) === "ENOENT"
        ? `There is no token at ${tokenFile} yet.`
        : `The token at ${tokenFile} cannot be judged: ${messageOf(error)}.`,
    );
  }
}

function ill(sentence: string): Health {
  return { isHealthy: false, sentence };
}

function expiryFileOf(tokenFile: string): string {
  return `${tokenFile}.json`;
}

function parseExpiry(text: string): Date | null {
  const json: unknown = JSON.parse(text);
  if (typeof json !== "object" || json === null) return null;
  const { expires_at, refreshed_at } = json as { expires_at?: unknown; refreshed_at?: unknown };
  const at =
    typeof expires_at === "string"
      ? Date.parse(expires_at)
      : Date.parse(String(refreshed_at)) + assumedLifeMs;
  return Number.isNaN(at) ? null : new Date(at);
}
