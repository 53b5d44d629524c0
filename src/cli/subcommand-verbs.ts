import { constants } from "node:os";
import { createGhauthCommand } from "../ghauth/ghauth-command.js";
import { systemClock } from "../system/clock.js";
import { createDispatch } from "../takopi/dispatch.js";
import { defaultTakopiConfig } from "../takopi/takopi-config.js";
import { answer } from "../transports/console/console.js";
import { readConfigOptionOrDefaults } from "./config-option.js";

/** `ghauth help|flow|status|refresh`: the command backend from a shell. Resolves with the exit code. */
export async function runSubcommand(
  name: string,
  { config: file, json }: { config?: string; json?: true },
): Promise<number> {
  const { env, stdout } = process;
  const config = name === "help" ? defaultTakopiConfig("") : readConfigOptionOrDefaults(file, env);
  const command = createGhauthCommand({ clock: systemClock, env });
  const context = { pluginConfig: config.pluginConfig("ghauth"), configPath: config.path };
  if (name !== "help") command.checkConfig(context);
  if (json) {
    const status = await command.status(context);
    stdout.write(`${JSON.stringify(status)}\n`);
    return status.state === "fresh" ? 0 : 1;
  }
  // The refresh script has a process group of its own, which a terminal's Ctrl-C does not reach: see run-refresh-script.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const dispatch = createDispatch(new Map([[command.id, command]]), config);
  const result = await answer(`/ghauth ${name}`, { dispatch, output: stdout });
  return result?.exitCode ?? 0;
}
