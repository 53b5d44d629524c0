import { shellWord } from "../../../files/shell-word.js";
import type { Check } from "../check.js";
import { error, ok, warning } from "../finding.js";

/** What GitHub says of the key, the App, its installation and the held token, as the refresh script hears it. */
export const github: Check = {
  label: "github",
  run: async ({ askScript, plugin }) => {
    const answer = await askScript();
    const again = `\`${shellWord(plugin.refreshScript)} --check\``;
    if (answer.type === "silent")
      return [warning(`not known: ${answer.reason}`, `Ask it yourself: ${again}`)];
    if (!answer.ok) {
      const isTransient = answer.exitCode === 75;
      return isTransient
        ? [warning(answer.sentence, `Try again later: ${again}`)]
        : [error(answer.sentence, `Do what it says, and try again: ${again}`)];
    }
    const { rateLimit, repositories } = answer;
    const calls =
      rateLimit &&
      `${rateLimit.remaining} of ${rateLimit.limit} calls left until ${rateLimit.resetAt.slice(11, 16)} UTC`;
    if (rateLimit && rateLimit.remaining < rateLimit.limit / 20)
      return [warning(calls ?? "", `Wait until then, and see what calls so often: ${again}`)];
    const reach =
      repositories === null ? null : `${repositories} ${repositories === 1 ? "repository" : "repositories"}`;
    return [ok([reach, calls].filter((part) => part !== null).join(", ") || answer.sentence)];
  },
};
