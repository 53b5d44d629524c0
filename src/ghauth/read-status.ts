import { messageOf } from "../errors.js";
import { displayPath, type Environment, type Paths } from "../system/paths.js";
import { readGhLogin } from "../system/gh-hosts.js";
import { prefixOf } from "../token/installation-token.js";
import { readLastRefresh, type RefreshLogEntry } from "../token/refresh-log.js";
import { redact } from "../token/redact.js";
import { isRefused } from "../token/token-marks.js";
import { isoSeconds, readTokenFile, type TokenFile } from "../token/token-file.js";
import {
  isFromTheFuture,
  judgeTokenFile,
  millisecondsLeft,
  type TokenState,
} from "../token/judge-token-file.js";
import type { TimerState } from "../system/systemd-timer.js";
import { problemsOfEnvironment } from "./environment-problems.js";
import type { PluginConfig } from "./plugin-config.js";
import { problemsOfTimer } from "./timer-problems.js";

/** What `status --json` prints. Seconds are whole; instants are ISO 8601 in UTC, on this host's clock. */
export type Status = {
  state: TokenState;
  token: { prefix: string; sha256: string } | null;
  refreshed_at: string | null;
  age_seconds: number | null;
  expires_at: string | null;
  expires_in_seconds: number | null;
  timer: {
    active: boolean;
    next_at: string | null;
    last_at: string | null;
    last_result: string | null;
  } | null;
  last_refresh: RefreshLogEntry | null;
  gh: { login: string | null } | null;
  problems: string[];
};

/** Reads how things stand on this machine, beside the timer's state; asks no network. */
export function readStatus(
  config: PluginConfig,
  { now, paths, timer, env }: { now: Date; paths: Paths; timer: TimerState; env: Environment },
): Status {
  const file = readTokenFile(config.tokenEnvFile);
  const refused = file.type === "token" && isRefused(file.token.secret, paths.refusedTokens);
  const state = judgeTokenFile(file, { now, maxAgeMs: config.maxTokenAgeMs, refused });
  const isFuture = file.type === "token" && isFromTheFuture(file, now);
  const log = readLog(paths.refreshLog);
  const gh = readGhLogin(paths.ghConfigDir);
  // What others wrote may hold anything, pieces of the token too.
  const clean = (text: string) => redact(text, file.type === "token" ? [file.token.secret] : []);
  const place = displayPath(config.tokenEnvFile, paths.home);
  const script = displayPath(config.refreshScript, paths.home);
  return {
    state,
    ...describeToken(file, now),
    timer: describeTimer(timer),
    last_refresh: log.last && { ...log.last, sentence: clean(log.last.sentence) },
    gh: gh && { login: gh.login && clean(gh.login) },
    problems: [
      ...problemsOfState(state, { file, refused, isFuture, place, script }),
      ...log.problems,
      ...problemsOfTimer(timer, log.last),
      ...problemsOfEnvironment(config, { env, paths }),
    ].map(clean),
  };
}

function describeTimer(timer: TimerState): Status["timer"] {
  if (timer.type !== "installed") return null;
  return {
    active: timer.active,
    next_at: timer.nextAt && isoSeconds(timer.nextAt),
    last_at: timer.lastAt && isoSeconds(timer.lastAt),
    last_result: timer.lastResult,
  };
}

type TokenPart = Pick<Status, "token" | "refreshed_at" | "age_seconds" | "expires_at" | "expires_in_seconds">;

function describeToken(file: TokenFile, now: Date): TokenPart {
  if (file.type === "missing" || file.type === "unreadable") {
    return { token: null, refreshed_at: null, age_seconds: null, expires_at: null, expires_in_seconds: null };
  }
  const written = {
    refreshed_at: isoSeconds(file.writtenAt),
    age_seconds: Math.floor((now.getTime() - file.writtenAt.getTime()) / 1000),
  };
  if (file.type === "empty") return { token: null, ...written, expires_at: null, expires_in_seconds: null };
  const { token } = file;
  return {
    token: { prefix: prefixOf(token), sha256: token.secret.fingerprint },
    ...written,
    expires_at: token.expiresAt && isoSeconds(token.expiresAt),
    expires_in_seconds: token.expiresAt && Math.floor(millisecondsLeft(file, now) / 1000),
  };
}

type Place = { file: TokenFile; refused: boolean; isFuture: boolean; place: string; script: string };

const stateProblems: Record<TokenState, ((where: Place) => string) | null> = {
  fresh: null,
  missing: ({ place, script }) => `There is no token in ${place}: run /ghauth refresh, or ${script}.`,
  unreadable: ({ file, place }) =>
    `${place} cannot be read${file.type === "unreadable" ? `: ${file.reason}` : ""}. Correct its owner and mode.`,
  insecure: ({ file, place }) =>
    `${place} can be read or written by others (mode ${"mode" in file ? file.mode.toString(8).padStart(4, "0") : "unknown"}): run chmod 600 ${place}.`,
  expired: ({ script }) =>
    `The token has expired: run /ghauth refresh, or ${script}, and see why the timer did not.`,
  stale: ({ script, ...why }) => `${staleReason(why)}: run /ghauth refresh, or ${script}.`,
};

function staleReason({ refused, isFuture, place }: Omit<Place, "script">): string {
  if (refused) return "GitHub refuses the token, or was told to revoke it";
  if (isFuture) return `${place} was written by a clock that has been set back since`;
  return "The token is stale, and the timer did not renew it";
}

function problemsOfState(state: TokenState, where: Place): string[] {
  const problem = stateProblems[state]?.(where);
  return problem === undefined ? [] : [problem];
}

/** A log that cannot be read is a problem to show, not a reason to show nothing. */
function readLog(path: string): { last: RefreshLogEntry | null; problems: string[] } {
  try {
    const last = readLastRefresh(path);
    if (last === null || last.code === "refreshed") return { last, problems: [] };
    return { last, problems: [last.ok ? last.sentence : `The last refresh failed: ${last.sentence}`] };
  } catch (error) {
    return { last: null, problems: [`The refresh log ${path} cannot be read: ${messageOf(error)}.`] };
  }
}
