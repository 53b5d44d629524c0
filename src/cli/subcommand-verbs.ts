import { constants } from "node:os";
import type { WriteStream } from "node:tty";
import { GhauthError } from "../errors.js";
import { createGhauthCommand } from "../ghauth/ghauth-command.js";
import { systemClock } from "../system/clock.js";
import { createDispatch } from "../takopi/dispatch.js";
import { defaultTakopiConfig } from "../takopi/takopi-config.js";
import { answer } from "../transports/console/console.js";
import { readConfigOptionOrDefaults } from "./config-option.js";

/** Beside `--config`, each asks for a subcommand in a form for programs. */
type Options = { config?: string; json?: true; prometheus?: true };

/** `ghauth help|flow|status|history|refresh`: the command backend from a shell. Resolves with the exit code. */
export async function runSubcommand(
  name: string,
  { config: file, ...forms }: Options,
  words: readonly string[] = [],
): Promise<number> {
  const { env, stdout } = process;
  const config = name === "help" ? defaultTakopiConfig("") : readConfigOptionOrDefaults(file, env);
  const command = createGhauthCommand({ clock: systemClock, env, terminal: lookOf(stdout) });
  const context = { pluginConfig: config.pluginConfig("ghauth"), configPath: config.path };
  if (name !== "help") command.checkConfig(context);
  command.checkWords(name, words);
  const [form, otherForm] = Object.keys(forms);
  if (otherForm !== undefined)
    throw new GhauthError("usage", `--${form} and --${otherForm} are two forms of the same: ask for one.`);
  if (form !== undefined) {
    const printed = await command.print({ name, form, words }, context);
    stdout.write(printed.text);
    return printed.exitCode;
  }
  // The refresh script has a process group of its own, which a terminal's Ctrl-C does not reach: see run-refresh-script.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  const dispatch = createDispatch(new Map([[command.id, command]]), config);
  const result = await answer(["/ghauth", name, ...words].join(" "), { dispatch, output: stdout });
  return result?.exitCode ?? 0;
}

/** A pipe has no colours, and NO_COLOR is heeded. */
function lookOf(output: Partial<Pick<WriteStream, "columns" | "hasColors">>) {
  return { columns: output.columns ?? 80, hasColours: output.hasColors?.() ?? false };
}
