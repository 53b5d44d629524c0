import { heldSecrets, redactReply } from "../redact-reply.js";
import { renderPage } from "../page.js";
import { requesterOf } from "../requester.js";
import type { Subcommand } from "../subcommand.js";

export const refresh: Subcommand = {
  name: "refresh",
  summary: "run the refresh script once and show what came of it",
  restricted: true,
  run: async ({ context, config, hostName, manualRefresh, readStatus }) => {
    const before = heldSecrets(config);
    const started = manualRefresh.start(config, requesterOf(context));
    if (started.type === "cooldown") {
      const title = `The token was refreshed ${started.agoSeconds} s ago: wait ${started.waitSeconds} s before the next refresh.`;
      return renderPage({ title, level: "warn" });
    }
    const isJoining = started.type === "joined";
    const running = await context.executor.send({
      text: isJoining ? "A refresh is already running: waiting for it…" : "Refreshing the GitHub token…",
      level: "ok",
    });
    const outcome = await started.outcome;
    const { page } = await readStatus();
    const reply = redactReply(
      renderPage({
        title: outcome.sentence,
        level: outcome.exitCode === 0 ? page.level : "error",
        fields: [
          { name: "took", value: `${(outcome.ms / 1000).toFixed(1)} s` },
          ...(hostName === null ? [] : [{ name: "host", value: hostName }]),
          ...(page.fields ?? []),
        ],
        notes: page.notes ?? [],
        tail: outcome.tail(before),
      }),
      [...before, ...heldSecrets(config)],
    );
    if (running === null) return { ...reply, exitCode: outcome.exitCode };
    await context.executor.edit(running, reply);
    return undefined;
  },
};
