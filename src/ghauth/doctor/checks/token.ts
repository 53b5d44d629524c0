import { isRefused } from "../../../token/token-marks.js";
import { prefixOf } from "../../../token/installation-token.js";
import { judgeTokenFile, millisecondsLeft } from "../../../token/judge-token-file.js";
import type { Check } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, ok, warning } from "../finding.js";

/** The token env file's state, as status tells it. */
export const token: Check = {
  label: "token",
  run: async ({ token: file, plugin, paths, clock, show, refreshCommand }) => {
    const now = clock.now();
    const refused = file.type === "token" && isRefused(file.token.secret, paths.refusedTokens);
    const state = judgeTokenFile(file, { now, maxAgeMs: plugin.maxTokenAgeMs, refused });
    const place = show(plugin.tokenEnvFile);
    if (state === "insecure")
      return openToOthers(plugin.tokenEnvFile, { mask: 0o077, mode: "600", what: place });
    if (file.type === "unreadable")
      return [error(`${place} cannot be read: ${file.reason}`, command("ls", "-ld", plugin.tokenEnvFile))];
    if (file.type !== "token")
      return [error(`missing: there is no token in ${place}`, command(...(await refreshCommand())))];
    const minutesLeft = Math.floor(millisecondsLeft(file, now) / 60_000);
    if (state === "fresh") return [ok(`fresh, ${minutesLeft} min left, ${prefixOf(file.token)}…`)];
    const why = refused ? ", refused by GitHub" : minutesLeft > 0 ? `, ${minutesLeft} min left` : "";
    return [(state === "stale" ? warning : error)(`${state}${why}`, command(...(await refreshCommand())))];
  },
};
