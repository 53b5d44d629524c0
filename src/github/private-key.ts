import { createPrivateKey, type KeyObject } from "node:crypto";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { readRegularFile } from "../files/regular-file.js";
import { Secret } from "../token/secret.js";
import { shellWord } from "../files/shell-word.js";

/**
 * Reads an App's private key file. A key that others than its owner can read is refused (`key_insecure`), unless
 * `anyMode`, for secrets that Kubernetes mounts.
 */
export function readPrivateKeyFile(path: string, { anyMode = false } = {}): Secret {
  try {
    const { text, stats } = readRegularFile(path);
    const { mode } = stats;
    if (!anyMode && (mode & 0o077) !== 0) {
      throw new GhauthError(
        "key_insecure",
        `The private key ${path} can be read by others (mode ${octal(mode)}): run chmod 600 ${shellWord(path)}, and make a new key in the app's settings if somebody else may have read it.`,
      );
    }
    return new Secret(text);
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    if (errnoOf(error) === "ENOENT") {
      throw new GhauthError(
        "key_missing",
        `There is no private key at ${path}: copy the App's .pem there (mode 600), or set GITHUB_APP_PRIVATE_KEY_PATH.`,
        { cause: error },
      );
    }
    throw new GhauthError("key_missing", `The private key ${path} cannot be read: ${messageOf(error)}.`, {
      cause: error,
    });
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

/**
 * An RSA private key from text as people keep it: PKCS#1 or PKCS#8 PEM, with CRLF, with `\n` spelled out, on one
 * line, or in base64. `origin` says where it came from, for the sentence. Throws `key_invalid`.
 */
export function parsePrivateKey(text: Secret, origin: string): KeyObject {
  const pem = normalizePem(text.reveal());
  const complaint = complaints.find(([pattern]) => pattern.test(pem))?.[1];
  if (complaint !== undefined) throw invalidKey(origin, complaint);
  const key = createKey(pem, origin);
  if (key.asymmetricKeyType !== "rsa") {
    throw invalidKey(
      origin,
      `is of type ${key.asymmetricKeyType ?? "unknown"}, and GitHub Apps sign with RSA`,
    );
  }
  return key;
}

const complaints: [RegExp, string][] = [
  [/^\s*$/, "is empty"],
  [
    /BEGIN ENCRYPTED PRIVATE KEY|Proc-Type: 4,ENCRYPTED/,
    "is encrypted with a passphrase, which nobody can type at night: store it decrypted (openssl rsa -in KEY -out NEW)",
  ],
  [/BEGIN OPENSSH PRIVATE KEY/, "is an SSH key"],
  [/BEGIN (?:RSA )?PUBLIC KEY/, "is a public key, not the private one"],
  [/BEGIN CERTIFICATE/, "is a certificate, not a private key"],
  [/BEGIN EC PRIVATE KEY/, "is an EC key, and GitHub Apps sign with RSA"],
  [
    /^(?![\s\S]*-----BEGIN (?:RSA )?PRIVATE KEY-----)/,
    "is not a private key in PEM form, which begins with the line BEGIN RSA PRIVATE KEY",
  ],
];

function createKey(pem: string, origin: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    // OpenSSL's own words may quote the input; they tell an operator nothing.
    throw invalidKey(origin, "is damaged: OpenSSL cannot decode it");
  }
}

function invalidKey(origin: string, complaint: string): GhauthError {
  return new GhauthError(
    "key_invalid",
    `The private key (${origin}) ${complaint}. Use the .pem that GitHub gave when the App's private key was generated.`,
  );
}

function normalizePem(text: string): string {
  const plain = text
    .replace(/^\uFEFF/, "")
    .trim()
    .replace(/^(["'])([\s\S]*)\1$/, "$2")
    .replaceAll("\\r", "")
    .replaceAll("\\n", "\n")
    .replaceAll("\r", "");
  const pem = plain.includes("-----BEGIN") ? plain : decodeBase64(plain).replaceAll("\r", "");
  // EC PARAMETERS or a certificate may stand before the key itself.
  const parts =
    /(-----BEGIN [A-Z ]*PRIVATE KEY-----)([^-:]*)(-----END [A-Z ]+-----)/.exec(pem) ??
    /(-----BEGIN [A-Z ]+-----)([^-:]*)(-----END [A-Z ]+-----)/.exec(pem);
  if (!parts) return pem;
  // What an environment put on one line needs its line breaks back.
  const [, begin = "", body = "", end = ""] = parts;
  return [begin, ...(body.replace(/\s+/g, "").match(/.{1,64}/g) ?? []), end, ""].join("\n");
}

function decodeBase64(text: string): string {
  return /^[A-Za-z0-9+/=_\s-]+$/.test(text) ? Buffer.from(text, "base64").toString("utf8") : text;
}
