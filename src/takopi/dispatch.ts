import { messageOf } from "../errors.js";
import { redact } from "../token/secret.js";
import type { CommandBackend, CommandContext, CommandResult } from "./command-backend.js";
import { parseCommand } from "./parse-command.js";
import type { TakopiConfig } from "./takopi-config.js";

export type Incoming = Pick<CommandContext, "message" | "executor" | "replyTo" | "replyText"> & {
  text: string;
};

/** Answers a message; undefined is silence. Never rejects. */
export type Dispatch = (incoming: Incoming) => Promise<CommandResult | undefined>;

/** Takes a message to the command backend that it names. A backend that throws becomes Takopi's `error:` reply. */
export function createDispatch(
  backends: ReadonlyMap<string, CommandBackend>,
  config: TakopiConfig,
): Dispatch {
  return async ({ text, ...incoming }) => {
    const parsed = parseCommand(text);
    const backend = parsed && backends.get(parsed.command);
    if (!backend) {
      const known = [...backends.keys()].map((id) => `/${id}`).join(", ");
      return {
        text: parsed ? `There is no /${parsed.command} here: ${known}.` : `Commands here: ${known}.`,
        level: "warn",
      };
    }
    try {
      return await backend.handle({
        ...incoming,
        ...parsed,
        text,
        configPath: config.path,
        pluginConfig: config.pluginConfig(backend.id),
      });
    } catch (error) {
      return { text: redact(`error:\n${messageOf(error)}`), level: "error", exitCode: 78 };
    }
  };
}
