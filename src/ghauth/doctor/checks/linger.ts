import { shellWord } from "../../../files/shell-word.js";
import { existsSync } from "node:fs";
import { findNotLingering } from "../../../system/systemd-timer.js";
import type { Check } from "../check.js";
import { command, error, ok, warning } from "../finding.js";

/** Whether the user's services, the timer first, outlive the last logout. */
export const linger: Check = {
  label: "linger",
  run: async ({ readTimer, plugin }) => {
    if ((await readTimer()).type === "none") return [ok("not needed")];
    const user = findNotLingering();
    if (user === null) return [ok("on")];
    // Without systemd something else refreshes.
    if (!existsSync("/run/systemd/system"))
      return [
        warning(
          "systemd does not run here: something else must refresh",
          `See that something runs it every 45 minutes: \`${shellWord(plugin.refreshScript)}\``,
        ),
      ];
    return [
      error(
        `off for ${user}: after the last logout nothing refreshes the token`,
        command("loginctl", "enable-linger", user),
      ),
    ];
  },
};
