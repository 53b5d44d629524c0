import type { CommandResult } from "../../takopi/command-backend.js";
import { requesterOf } from "../requester.js";
import type { Call } from "../subcommand.js";
import { examine } from "./examine.js";
import { createHost } from "./host.js";
import { renderDiagnoses } from "./page.js";

/** `/ghauth doctor`: all checks, in a chat what is wrong first. */
export async function answerDoctor({
  context,
  env,
  paths,
  clock,
  hostName,
  readTimer,
}: Call): Promise<CommandResult> {
  const configPath = context.configPath ?? paths.takopiConfig;
  const requester = requesterOf(context);
  const host = createHost({
    requester,
    env,
    paths,
    clock,
    configPath,
    repositories: [process.cwd()],
    readTimer,
  });
  const examined = await examine(host);
  const worst = (["error", "warning"] as const).find((level) =>
    examined.some((each) => each.level === level),
  );
  const shown =
    hostName === null
      ? examined
      : [...(["error", "warning", "ok"] as const)].flatMap((level) =>
          examined.filter((each) => each.level === level),
        );
  return {
    text: renderDiagnoses(shown, hostName),
    level: worst === "error" ? "error" : worst === "warning" ? "warn" : "ok",
    actions: ["refresh"],
    exitCode: worst === "error" ? 1 : 0,
  };
}
