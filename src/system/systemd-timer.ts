import { existsSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { errnoOf, messageOf } from "../errors.js";
import { childEnvironment } from "./child-environment.js";
import type { Clock } from "./clock.js";
import type { Environment } from "./paths.js";
import { runCommand } from "./run-command.js";

/** The timer that bootstrap_user_refresh.sh installs, and the service that it starts. */
export const refreshTimer = "takopi-github-token-refresh.timer";
export const refreshService = "takopi-github-token-refresh.service";

export type TimerState =
  /** No user manager answers here: no systemd, or a shell that does not belong to the user's own session. */
  | { type: "unreachable"; reason: string }
  | { type: "not_installed" }
  /** None is meant to be here. */
  | { type: "none" }
  | ({ type: "installed" } & InstalledTimer);

export type InstalledTimer = {
  enabled: boolean;
  active: boolean;
  /** `OnCalendar=` as systemd writes it. */
  calendar: string[];
  nextAt: Date | null;
  /** When the timer, or somebody else, last started the service. */
  lastAt: Date | null;
  /** systemd's `Result=` of the service (`success`, `exit-code`, `timeout`, …), or `running`; null before its first run. */
  lastResult: string | null;
  lastExitStatus: number;
  lastEndedAt: Date | null;
  /** The service failed, and systemd will start it again by itself in a minute. */
  retrying: boolean;
  /** The service failed, and will not be tried again before the timer's next tick. */
  failed: boolean;
  /** The user whose lingering is off, so that the manager ends with the last logout; null where it is on. */
  notLingering: string | null;
};

const properties =
  "Id,LoadState,UnitFileState,ActiveState,SubState,TimersCalendar,NextElapseUSecRealtime,LastTriggerUSec,Result,ExecMainStatus,ExecMainStartTimestamp,ExecMainExitTimestamp";
const timeoutMs = 2_000;
const sharedMs = 1_000;

/** A `readTimer` that asks once for all who want to know within a second. */
export function createTimerReader({ clock, env }: { clock: Clock; env: Environment }) {
  let last: { atMs: number; state: Promise<TimerState> } | null = null;
  return async (): Promise<TimerState> => {
    const nowMs = clock.elapsedMs();
    if (last === null || nowMs - last.atMs >= sharedMs) last = { atMs: nowMs, state: readTimer(env) };
    return last.state;
  };
}

/** Asks the user's systemd manager about the refresh timer, in one call. Never rejects. */
async function readTimer(env: Environment): Promise<TimerState> {
  if (!env["XDG_RUNTIME_DIR"]) return unreachable("XDG_RUNTIME_DIR is not set");
  try {
    const { exitCode, timedOut, stdout } = await runCommand(
      ["systemctl", "--user", "show", `--property=${properties}`, refreshTimer, refreshService],
      // Its times have no offset: UTC makes them unambiguous.
      { env: { ...childEnvironment(env), LC_ALL: "C", TZ: "UTC" }, timeoutMs },
    );
    if (timedOut) return unreachable(`systemctl did not answer within ${timeoutMs / 1000} s`);
    if (exitCode !== 0) return unreachable("no user manager answers in XDG_RUNTIME_DIR");
    return parseTimer(stdout, findNotLingering());
  } catch (error) {
    return unreachable(
      errnoOf(error) === "ENOENT"
        ? "systemctl is not installed"
        : `systemctl cannot be run: ${messageOf(error)}`,
    );
  }
}

function unreachable(reason: string): TimerState {
  return { type: "unreachable", reason };
}

/** This user, where lingering is off; null where it is on. By logind's own mark (`loginctl enable-linger`). */
export function findNotLingering(): string | null {
  const { username } = userInfo();
  return existsSync(join("/var/lib/systemd/linger", username)) ? null : username;
}

/** The state from what `systemctl show` prints of the timer and, after an empty line, of the service. */
export function parseTimer(shown: string, notLingering: string | null): TimerState {
  const units = shown.split(/\n\n+/).map(parseProperties);
  const timer = units.find((unit) => unit.get("Id")?.[0] === refreshTimer);
  const service = units.find((unit) => unit.get("Id")?.[0] === refreshService);
  const ofTimer = (name: string) => timer?.get(name)?.[0] ?? "";
  const ofService = (name: string) => service?.get(name)?.[0] ?? "";
  if (ofTimer("LoadState") === "not-found" || ofTimer("LoadState") === "") return { type: "not_installed" };

  const startedAt = parseTime(ofService("ExecMainStartTimestamp"));
  const triggeredAt = parseTime(ofTimer("LastTriggerUSec"));
  const isRunning = ofService("SubState").startsWith("start");
  return {
    type: "installed",
    enabled: ofTimer("UnitFileState").startsWith("enabled"),
    active: ofTimer("ActiveState") === "active",
    calendar: (timer?.get("TimersCalendar") ?? []).flatMap(
      (line) => /OnCalendar=(.*?) ;/.exec(line)?.[1] ?? [],
    ),
    nextAt: parseTime(ofTimer("NextElapseUSecRealtime")),
    lastAt: startedAt && triggeredAt && startedAt < triggeredAt ? triggeredAt : (startedAt ?? triggeredAt),
    lastResult: isRunning ? "running" : startedAt && ofService("Result"),
    lastExitStatus: Number(ofService("ExecMainStatus")),
    lastEndedAt: parseTime(ofService("ExecMainExitTimestamp")),
    retrying: ofService("SubState") === "auto-restart",
    failed: ofService("ActiveState") === "failed",
    notLingering,
  };
}

function parseProperties(text: string): Map<string, string[]> {
  const values = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const at = line.indexOf("=");
    if (at > 0) values.set(line.slice(0, at), [...(values.get(line.slice(0, at)) ?? []), line.slice(at + 1)]);
  }
  return values;
}

/** systemd's `Sun 2026-11-22 00:01:11 UTC`; `n/a` or nothing is null. */
function parseTime(text: string): Date | null {
  const match = /(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(?:\.\d+)? UTC$/.exec(text);
  return match && new Date(`${match[1]}T${match[2]}Z`);
}
