import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { GhauthError, messageOf } from "../errors.js";
import { shellWord } from "../files/shell-word.js";

/** Encrypts what leaves for a shared store; `name` is bound to it, so that no entry passes for another. */
export type Seal = {
  seal: (text: string, name: string) => string;
  /** Null for what was not sealed with this key, or under another name. */
  open: (sealed: string, name: string) => string | null;
};

const algorithm = "aes-256-gcm";
const ivBytes = 12;
const tagBytes = 16;

export function createSeal(key: Buffer): Seal {
  return {
    seal: (text, name) => {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv).setAAD(Buffer.from(name));
      const sealed = [iv, cipher.update(text, "utf8"), cipher.final(), cipher.getAuthTag()];
      return Buffer.concat(sealed).toString("base64");
    },
    open: (sealed, name) => {
      const bytes = Buffer.from(sealed, "base64");
      if (bytes.length < ivBytes + tagBytes) return null;
      const iv = bytes.subarray(0, ivBytes);
      const decipher = createDecipheriv(algorithm, key, iv, { authTagLength: tagBytes });
      decipher.setAAD(Buffer.from(name)).setAuthTag(bytes.subarray(-tagBytes));
      try {
        const text = decipher.update(bytes.subarray(ivBytes, -tagBytes), undefined, "utf8");
        return text + decipher.final("utf8");
      } catch {
        return null; // GCM refuses it: another key's, or somebody changed it
      }
    },
  };
}

/** The store's key: 32 bytes in hex or base64, in a file of its own that only its owner reads. Throws `config_invalid`. */
export function readStoreKey(path: string): Buffer {
  let text: string;
  try {
    if ((statSync(path).mode & 0o077) !== 0)
      throw invalid(
        path,
        `can be read by others: run chmod 600 ${shellWord(path)}, and make a new one if somebody else may have read it`,
      );
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    throw invalid(path, `cannot be read: ${messageOf(error)}`);
  }
  const key = /^[0-9a-f]{64}$/i.test(text) ? Buffer.from(text, "hex") : parseBase64(text);
  if (key?.length === 32) return key;
  throw invalid(
    path,
    "must hold 32 bytes in hex or base64 and nothing else: openssl rand -hex 32 makes them",
  );
}

function parseBase64(text: string): Buffer | null {
  return /^[A-Za-z0-9+/_-]{43}=?$/.test(text) ? Buffer.from(text, "base64") : null;
}

function invalid(path: string, complaint: string): GhauthError {
  return new GhauthError("config_invalid", `--store-key-file ${path} ${complaint}.`);
}
