import { closeSync, readSync } from "node:fs";
import { openRegularFile } from "../../files/regular-file.js";

/** As long as `-----BEGIN RSA PRIVATE KEY-----`. */
const headBytes = 31;

/** The first bytes of a regular file: enough to see that it is a key, and none of the key. Throws the system's error. */
export function headOf(path: string): string {
  const { file } = openRegularFile(path);
  try {
    const buffer = Buffer.alloc(headBytes);
    return buffer.toString("latin1", 0, readSync(file, buffer, 0, headBytes, 0));
  } finally {
    closeSync(file);
  }
}

/** Whether a file that begins so is a private key in PEM form. */
export function isKeyHead(head: string): boolean {
  return /^\s*-----BEGIN (?:RSA )?PRIVATE KEY-----/.test(head);
}
