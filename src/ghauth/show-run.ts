import type { CommandResult } from "../takopi/command-backend.js";
import type { StartedRun } from "./manual-refresh.js";
import { renderPage } from "./page.js";
import { heldSecrets, redactReply } from "./redact-reply.js";
import type { Call } from "./subcommand.js";

/**
 * Shows a run of the refresh script that has just been started: says at once that it runs, and then what came of it, and
 * how things stand. Resolves with the result where what was said first cannot be edited.
 */
export async function showRun(
  { context, config, hostName, readStatus }: Call,
  { started, says, saysJoined }: { started: StartedRun; says: string; saysJoined: string },
): Promise<CommandResult | undefined> {
  const before = heldSecrets(config);
  const text = started.type === "joined" ? saysJoined : says;
  const running = await context.executor.send({ text, level: "ok" });
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
}
