import type { Secret } from "./secret.js";

/** What git takes for an answer (https://git-scm.com/docs/git-credential#IOFMT), without the empty line that ends it. */
export function renderGitAnswer(token: Secret, expiresEpoch: number | null): string {
  const expiry = expiresEpoch === null ? "" : `password_expiry_utc=${expiresEpoch}\n`;
  return `username=x-access-token\npassword=${token.reveal()}\n${expiry}`;
}
