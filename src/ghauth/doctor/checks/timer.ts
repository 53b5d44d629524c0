import { formatDistanceStrict } from "date-fns/formatDistanceStrict";
import { refreshTimer } from "../../../system/systemd-timer.js";
import type { Check } from "../check.js";
import { command, error, ok, warning } from "../finding.js";

const enabling = ["systemctl", "--user", "enable", refreshTimer] as const;

/** What refreshes by itself: installed, active, and there again after the next boot. */
export const timer: Check = {
  label: "timer",
  run: async ({ readTimer, setupScript, clock }) => {
    const state = await readTimer();
    if (state.type === "none") return [ok("none is meant to be here")];
    if (state.type === "unreachable")
      return [
        warning(
          `cannot be seen from here: ${state.reason}`,
          "Look from a session of this user's own, not by su or sudo: `export XDG_RUNTIME_DIR=/run/user/$(id -u)`",
        ),
      ];
    if (state.type === "not_installed")
      return [error("not installed", command(setupScript("bootstrap_user_refresh.sh")))];
    if (!state.active) {
      const back = state.enabled ? "stop" : "disable --now";
      return [
        error("not active: nothing refreshes the token", [
          { words: [...enabling, "--now"], undo: () => [`systemctl --user ${back} ${refreshTimer}`] },
        ]),
      ];
    }
    if (!state.enabled)
      return [
        error("not enabled: gone after the next boot", [
          { words: enabling, undo: () => [`systemctl --user disable ${refreshTimer}`] },
        ]),
      ];
    const next = state.nextAt && formatDistanceStrict(state.nextAt, clock.now(), { roundingMethod: "floor" });
    return [ok(`active, enabled${next === null ? "" : `, next run in ${next}`}`)];
  },
};
