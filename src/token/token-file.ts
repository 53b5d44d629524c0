import { errnoOf, messageOf } from "../errors.js";
import { readRegularFile } from "../files/regular-file.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { parseEnvFile } from "../files/env-file.js";
import { isTokenText, type InstallationToken } from "./installation-token.js";
import { Secret } from "./secret.js";

/** The token env file as found: `mode` is its permission bits, `writtenAt` its mtime, `hasEpoch` whether it tells its expiry in epoch seconds. */
export type TokenFile =
  | { type: "missing" }
  | { type: "unreadable"; reason: string }
  | { type: "empty"; mode: number; writtenAt: Date }
  | { type: "token"; token: InstallationToken; hasEpoch: boolean; mode: number; writtenAt: Date };

const largestFile = 65_536;

/** Reads the token env file tolerantly, as people and other tools write such files; never throws. */
export function readTokenFile(path: string): TokenFile {
  try {
    const { text, stats } = readRegularFile(path, largestFile);
    const [mode, writtenAt] = [stats.mode & 0o777, stats.mtime];
    const variables = parseEnvFile(text);
    const token = tokenOf(variables);
    if (!token) return { type: "empty", mode, writtenAt };
    const hasEpoch = isEpoch(variables.get(epochName) ?? "");
    return { type: "token", token, hasEpoch, mode, writtenAt };
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === "ENOENT" || errno === "ENOTDIR") return { type: "missing" };
    return { type: "unreadable", reason: unreadableReasons[errno ?? ""] ?? messageOf(error) };
  }
}

const unreadableReasons: Record<string, string> = {
  EACCES: "permission denied",
  EPERM: "permission denied",
  ELOOP: "its symbolic links lead in a circle",
};

/** The token in an env file's text, or null; GITHUB_TOKEN or GH_TOKEN will do, and an expiry is optional. */
export function parseTokenFile(text: string): InstallationToken | null {
  return tokenOf(parseEnvFile(text));
}

function tokenOf(variables: Map<string, string>): InstallationToken | null {
  const value = variables.get("GITHUB_TOKEN") || variables.get("GH_TOKEN") || "";
  if (!isTokenText(value)) return null;
  return { secret: new Secret(value), expiresAt: parseExpiry(variables) };
}

const epochName = "GITHUB_TOKEN_EXPIRES_EPOCH";

function isEpoch(text: string): boolean {
  return /^\d{1,11}$/.test(text);
}

function parseExpiry(variables: Map<string, string>): Date | null {
  const epoch = variables.get(epochName) ?? "";
  const at = isEpoch(epoch)
    ? new Date(Number(epoch) * 1000)
    : new Date(variables.get("GITHUB_TOKEN_EXPIRES_AT") ?? "");
  return Number.isNaN(at.getTime()) ? null : at;
}

/** The file's text: lines that `sh`, systemd's `EnvironmentFile=` and dotenv read alike. */
export function renderTokenFile({ secret, expiresAt }: InstallationToken): string {
  const lines = [`GITHUB_TOKEN=${secret.reveal()}`, `GH_TOKEN=${secret.reveal()}`];
  if (expiresAt) {
    const epoch = Math.floor(expiresAt.getTime() / 1000);
    lines.push(`GITHUB_TOKEN_EXPIRES_AT=${isoSeconds(new Date(epoch * 1000))}`);
    lines.push(`${epochName}=${epoch}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Publishes a token: mode 0600, whole or not at all. Throws the system's error; the old file then stays. */
export function writeTokenFile(path: string, token: InstallationToken): void {
  writeFileAtomically(path, renderTokenFile(token));
}

/** ISO 8601 in UTC with whole seconds, as GitHub writes its instants. */
export function isoSeconds(at: Date): string {
  return `${at.toISOString().slice(0, 19)}Z`;
}
