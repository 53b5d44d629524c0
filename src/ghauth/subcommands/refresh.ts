import { renderPage } from "../page.js";
import { requesterOf } from "../requester.js";
import { showRun } from "../show-run.js";
import type { Subcommand } from "../subcommand.js";

export const refresh: Subcommand = {
  name: "refresh",
  summary: "run the refresh script once and show what came of it",
  restricted: true,
  run: async (call) => {
    const started = call.manualRefresh.start(call.config, requesterOf(call.context));
    if (started.type === "cooldown") {
      const title = `The token was refreshed ${started.agoSeconds} s ago: wait ${started.waitSeconds} s before the next refresh.`;
      return renderPage({ title, level: "warn" });
    }
    return showRun(call, {
      started,
      says: "Refreshing the GitHub token…",
      saysJoined: "A refresh is already running: waiting for it…",
    });
  },
};
