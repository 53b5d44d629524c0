import type { Secret } from "./secret.js";

/** A GitHub App installation token as this machine holds it; `expiresAt` is on this host's clock, null when unknown. */
export type InstallationToken = { secret: Secret; expiresAt: Date | null };

/** What may be shown of a token: GitHub's prefix and the next 4 characters, or the first 4 of a token without one. */
export function prefixOf({ secret }: InstallationToken): string {
  const value = secret.reveal();
  return /^(?:gh[a-z]_|github_pat_)?.{4}/.exec(value)?.[0] ?? "";
}

/** Whether text can be a token at all: one word of printable ASCII, since it goes into a header and an env file. */
export function isTokenText(text: string): boolean {
  return /^[\x21-\x7e]{8,4096}$/.test(text) && !/["'\\`$]/.test(text);
}
