import { isFromTheFuture } from "../../../token/judge-token-file.js";
import type { Check } from "../check.js";
import { command, ok, warning } from "../finding.js";

const toleratedSeconds = 30;
const setting = command("sudo", "timedatectl", "set-ntp", "true");
const comparing = "Compare it yourself: `curl -sI https://api.github.com | grep -i ^date; date -u`";

/** This host's clock beside GitHub's. Minting and judging work with a wrong one; whatever else runs here may not. */
export const clock: Check = {
  label: "clock",
  run: async ({ askScript, token, clock: { now } }) => {
    if (token.type === "token" && isFromTheFuture(token, now()))
      return [warning("it was set back since the last refresh", setting)];
    const answer = await askScript();
    if (answer.type === "silent") return [warning(`GitHub's is not known: ${answer.reason}`, comparing)];
    const offset = answer.clockOffsetSeconds;
    if (offset === null) return [warning("GitHub's is not known: it gave no answer", comparing)];
    const difference = Math.round(Math.abs(offset));
    if (difference <= toleratedSeconds)
      return [ok(difference === 0 ? "as GitHub's" : `${difference} s off GitHub's`)];
    return [warning(`${difference} s ${offset > 0 ? "behind" : "ahead of"} GitHub's`, setting)];
  },
};
