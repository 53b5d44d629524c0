import type { RefreshLogEntry } from "../token/refresh-log.js";
import { refreshService, refreshTimer, type TimerState } from "../system/systemd-timer.js";

/** What a person should do about the timer, one sentence each. A manager that is out of reach here is no problem by itself. */
export function problemsOfTimer(timer: TimerState, lastRefresh: RefreshLogEntry | null): string[] {
  if (timer.type === "unreachable" || timer.type === "none") return [];
  if (timer.type === "not_installed")
    return ["No refresh timer is installed for this user: run bootstrap_user_refresh.sh."];

  const problems: string[] = [];
  if (!timer.active) {
    problems.push(
      `The timer is not active, so that nothing refreshes the token: run systemctl --user enable --now ${refreshTimer}.`,
    );
  } else if (!timer.enabled) {
    problems.push(
      `The timer is not enabled, and will be gone after a reboot: run systemctl --user enable ${refreshTimer}.`,
    );
  }
  const isOvertaken =
    lastRefresh?.ok === true && timer.lastEndedAt !== null && new Date(lastRefresh.at) > timer.lastEndedAt;
  if (timer.failed && !isOvertaken) problems.push(failureProblem(timer));
  if (timer.notLingering !== null) {
    problems.push(
      `Lingering is off for ${timer.notLingering}: after the last logout nothing refreshes the token. Run loginctl enable-linger ${timer.notLingering}.`,
    );
  }
  return problems;
}

const again = `systemctl --user start ${refreshService}`;

const failures: Record<number, string> = {
  64: "its program was called wrongly: run bootstrap_user_refresh.sh again",
  78: `a person must change something, as the last refresh says; then run ${again}`,
  126: "its program cannot be executed: run bootstrap_user_refresh.sh again",
  127: "its program, or the node that runs it, is gone: run bootstrap_user_refresh.sh again",
  203: "its program cannot be executed: run bootstrap_user_refresh.sh again",
  226: `its sandbox cannot be built: see journalctl --user -u ${refreshService}`,
};

function failureProblem({
  lastResult,
  lastExitStatus,
}: {
  lastResult: string | null;
  lastExitStatus: number;
}): string {
  const what = failures[lastExitStatus] ?? `see journalctl --user -u ${refreshService}, then run ${again}`;
  return `The refresh service failed (${lastResult ?? "unknown"}, status ${lastExitStatus}) and waits for the timer's next tick: ${what}.`;
}
