import { formatDistanceStrict } from "date-fns/formatDistanceStrict";
import { messageOf } from "../../../errors.js";
import { shellWord } from "../../../files/shell-word.js";
import { readLastRefresh } from "../../../token/refresh-log.js";
import type { Check } from "../check.js";
import { command, error, ok, warning } from "../finding.js";

/** How the last attempt to refresh went, by the refresh log. */
export const lastRefresh: Check = {
  label: "last refresh",
  run: async ({ paths, clock, show, refreshCommand }) => {
    const refresh = await refreshCommand();
    let last;
    try {
      last = readLastRefresh(paths.refreshLog);
    } catch (thrown) {
      return [
        error(
          `${show(paths.refreshLog)} cannot be read: ${messageOf(thrown)}`,
          command("ls", "-ld", paths.refreshLog),
        ),
      ];
    }
    if (last === null) return [warning("there was none yet", command(...refresh))];
    const ago = formatDistanceStrict(new Date(last.at), clock.now(), { roundingMethod: "floor" });
    if (last.ok) return [ok(`${last.trigger}, ${ago} ago`)];
    const detail = `${last.trigger}, ${ago} ago, failed: ${last.sentence}`;
    // What is transient is tried again by itself; and what a person must mend is in the sentence.
    if (last.exit === 75) return [warning(detail, command(...refresh))];
    return [
      error(detail, `Do what it says, then refresh: \`${refresh.map((word) => shellWord(word)).join(" ")}\``),
    ];
  },
};
