import { BACKEND } from "../ghauth/ghauth-command.js";
import { runHost, type Transport } from "../takopi/host.js";
import { readConfigOption } from "./config-option.js";
import { parseOptions } from "./parse-options.js";

const transports: Record<string, Transport> = {
  console: async (dispatch, signal) => {
    const { runConsole } = await import("../transports/console.js");
    await runConsole({ input: process.stdin, output: process.stdout }, dispatch, signal);
  },
};

/** `ghauth run`: the chat host. Resolves with 0 once its input has ended, or SIGTERM or SIGINT came. */
export async function main(args: string[]): Promise<number> {
  const { config: file } = parseOptions(args, { config: { type: "string" } });
  const config = readConfigOption(file, process.env);
  const stop = new AbortController();
  for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => stop.abort());
  await runHost({ backends: [BACKEND], transports }, config, stop.signal);
  return 0;
}
