import { GhauthError } from "../errors.js";
import { displayPath } from "../system/paths.js";
import { prefixOf } from "../token/installation-token.js";
import type { RefreshLogEntry } from "../token/refresh-log.js";
import { isoSeconds, type TokenFile } from "../token/token-file.js";
import { millisecondsLeft } from "../token/token-state.js";
import type { RefreshConfig } from "./refresh-config.js";
import type { Replaced } from "./locked-refresh.js";

/** What came of a run, for its last line and, unless nothing was tried, the refresh log. */
export type Report = Omit<RefreshLogEntry, "at" | "trigger" | "by" | "ms">;

export function reportRefreshed(
  { token, warnings, rateLimit, refusedAt }: Replaced,
  { config, now, home }: { config: RefreshConfig; now: Date; home: string },
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
      [
        `Refreshed: token ${prefixOf(token)}… (sha256 ${token.secret.fingerprint}), ${valid}, is in ${where}`,
        ...notes,
      ].join("; ") + ".",
    expires_at: expiresAt,
    sha256: token.secret.fingerprint,
    rate_limit: rateLimit,
    refused_at: refusedAt && refusedAt.toISOString(),
  };
}

export function reportFailure(error: GhauthError, { held, now }: { held: TokenFile; now: Date }): Report {
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
  { found, held, now }: { found: TokenFile; held: TokenFile; now: Date },
): Report {
  const before = found.type === "token" ? found.token.secret.fingerprint : null;
  const isPublished = held.type === "token" && held.token.secret.fingerprint !== before;
  if (!isPublished) {
    const error = new GhauthError("stopped", `Stopped by ${signal} before the refresh was done.`);
    return reportFailure(error, { held, now });
  }
  const sentence = `Stopped by ${signal} after the new token was published: gh may still have the old one.`;
  return { ...reportFailure(new GhauthError("stopped", sentence), { held, now }), sentence };
}

export const skippedSentence = "Another run has just refreshed the token: nothing to do.";

function heldSentence(held: TokenFile, now: Date): string {
  const leftMs = held.type === "token" ? millisecondsLeft(held, now) : 0;
  return leftMs > 0
    ? `The old token was kept: it has ${minutes(leftMs)} left.`
    : "There is no valid token now.";
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
