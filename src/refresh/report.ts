import { GhauthError } from "../errors.js";
import { displayPath } from "../system/paths.js";
import { prefixOf } from "../token/installation-token.js";
import type { RefreshLogEntry } from "../token/refresh-log.js";
import { isRefused, isToBeRevoked } from "../token/token-marks.js";
import { isoSeconds, readTokenFile, type TokenFile } from "../token/token-file.js";
import { millisecondsLeft } from "../token/judge-token-file.js";
import { describeRevoked } from "./revocation.js";
import type { RefreshConfig } from "./refresh-config.js";
import type { Replaced } from "./locked-refresh.js";

/** What came of a run, for its last line and, unless nothing was tried, the refresh log. */
export type Report = Omit<RefreshLogEntry, "at" | "trigger" | "by" | "ms">;

export function reportRefreshed(
  { token, warnings, rateLimit, refusedAt, revoked }: Replaced,
  { config, now, home, revokes }: { config: RefreshConfig; now: Date; home: string; revokes: boolean },
): Report {
  const expiresAt = token.expiresAt && isoSeconds(token.expiresAt);
  const valid = token.expiresAt
    ? `valid until ${expiresAt} (${minutes(token.expiresAt.getTime() - now.getTime())})`
    : "of unknown expiry";
  const where = displayPath(config.tokenEnvFile, home);
  const notes = [...clockNotes(token.clockOffsetMs ?? 0, config.source.type), ...warnings];
  return {
    ok: true,
    code: warnings.length > 0 ? "refreshed_with_warning" : "refreshed",
    exit: 0,
    sentence:
      (revokes && revoked.length === 0 ? "There was no token to revoke. " : describeRevoked(revoked)) +
      [
        `Refreshed: token ${prefixOf(token)}… (sha256 ${token.secret.fingerprint}), ${valid}, is in ${where}`,
        ...notes,
      ].join("; ") +
      ".",
    expires_at: expiresAt,
    sha256: token.secret.fingerprint,
    rate_limit: rateLimit,
    refused_at: refusedAt && refusedAt.toISOString(),
  };
}

/** A token env file as it is now, and whether its token is marked as `refused`, or as still `to_be_revoked`. */
export type Held = { file: TokenFile; mark: "refused" | "to_be_revoked" | null };

export function readHeld(tokenEnvFile: string, refusedTokens: string): Held {
  const file = readTokenFile(tokenEnvFile);
  if (file.type !== "token" || !isRefused(file.token.secret, refusedTokens)) return { file, mark: null };
  return { file, mark: isToBeRevoked(file.token.secret, refusedTokens) ? "to_be_revoked" : "refused" };
}

export function reportFailure(error: GhauthError, { held, now }: { held: Held; now: Date }): Report {
  return {
    ok: false,
    code: error.code,
    exit: error.exitCode,
    sentence: `${error.message} ${heldSentence(held, now)}`,
    expires_at: null,
    sha256: null,
    rate_limit: null,
    refused_at: null,
  };
}

/** What a signal ended: before anything was published, or while gh was being updated. */
export function reportStopped(
  signal: NodeJS.Signals,
  { found, held, now }: { found: TokenFile; held: Held; now: Date },
): Report {
  const before = found.type === "token" ? found.token.secret.fingerprint : null;
  const { file } = held;
  const isPublished = file.type === "token" && file.token.secret.fingerprint !== before;
  if (!isPublished) {
    const error = new GhauthError("stopped", `Stopped by ${signal} before the refresh was done.`);
    return reportFailure(error, { held, now });
  }
  const sentence = `Stopped by ${signal} after the new token was published: gh may still have the old one.`;
  const { secret, expiresAt } = file.token;
  return {
    ...reportFailure(new GhauthError("stopped", sentence), { held, now }),
    sentence,
    expires_at: expiresAt && isoSeconds(expiresAt),
    sha256: secret.fingerprint,
  };
}

export const skippedSentence = "Another run has just refreshed the token: nothing to do.";

function heldSentence({ file, mark }: Held, now: Date): string {
  const leftMs = file.type === "token" ? millisecondsLeft(file, now) : 0;
  if (leftMs <= 0) return "There is no valid token now.";
  if (mark === "refused") return "There is no valid token now: the old one is marked as refused.";
  if (mark === "to_be_revoked")
    return `The old token is marked: git and ghauth exec use it no more, and the next refresh that reaches GitHub revokes it (it has ${minutes(leftMs)} left).`;
  return `The old token was kept: it has ${minutes(leftMs)} left.`;
}

const worthTellingMs = 60_000;

function clockNotes(offsetMs: number, source: RefreshConfig["source"]["type"]): string[] {
  if (Math.abs(offsetMs) < worthTellingMs) return [];
  const direction = offsetMs > 0 ? "behind" : "ahead of";
  const [whose, advice] =
    source === "broker" ? ["the broker's", "set the one that is wrong"] : ["GitHub's", "set it"];
  return [
    `this host's clock is ${minutes(Math.abs(offsetMs))} ${direction} ${whose}: ${advice} (timedatectl)`,
  ];
}

function minutes(ms: number): string {
  const whole = Math.floor(ms / 60_000);
  if (whole < 1) return `${Math.floor(ms / 1000)} s`;
  return whole < 120 ? `${whole} min` : `${Math.floor(whole / 60)} h ${whole % 60} min`;
}
