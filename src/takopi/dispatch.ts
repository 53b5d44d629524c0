import { GhauthError, messageOf } from "../errors.js";
import { redact } from "../token/redact.js";
import { type AccessPolicy, judge, type Standing } from "./access.js";
import { closestWord } from "./closest-word.js";
import {
  type CommandBackend,
  type CommandContext,
  type CommandExecutor,
  type CommandResult,
  type MessageFate,
  terminalChannel,
} from "./command-backend.js";
import type { Log } from "../log/log.js";
import { type ParsedCommand, parseCommand } from "./parse-command.js";
import type { TakopiConfig } from "./takopi-config.js";

export type Incoming = Pick<CommandContext, "message" | "executor" | "replyTo" | "replyText"> & {
  text: string;
  /** Where it came from, as the transport's configuration names places; the channel unless given. */
  placeId?: string | null;
  roleIds?: readonly string[];
  /** Called before a command backend is: tells the sender that something comes. A refusal comes without. */
  acknowledge?: () => Promise<void>;
};

/** Answers a message; undefined is silence. Never rejects. */
export type Dispatch = (incoming: Incoming) => Promise<CommandResult | undefined>;

export type Backends = ReadonlyMap<string, CommandBackend>;

/**
 * Takes a message to the command backend that it names, as far as `access` lets its sender; without an `access` only
 * the terminal is served. A backend that throws becomes Takopi's `error:` reply.
 */
export function createDispatch(
  backends: Backends,
  config: TakopiConfig,
  { transport = null, access, log }: { transport?: string | null; access?: AccessPolicy; log?: Log } = {},
): Dispatch {
  return async ({ text, placeId, roleIds = [], acknowledge, ...incoming }) => {
    const { channelId, senderId } = incoming.message;
    const standing = access
      ? judge({ placeId: placeId === undefined ? channelId : placeId, senderId, roleIds }, access)
      : standingInTerminal(channelId);
    const parsed = parseCommand(text);
    const who = { channel: channelId, sender: senderId };
    if (standing === "outsider") {
      log?.debug("command.ignored", { ...who, reason: "the chat or its sender is not served" });
      return undefined;
    }
    const backend = parsed && backends.get(parsed.command);
    if (!backend)
      return channelId === terminalChannel ? unknownCommand(text, { parsed, backends }) : undefined;
    if (backend.pastedSecret?.isIn(parsed) === true) {
      const fate = await withdraw(incoming.executor, { log, who });
      log?.warn("command.secret", { ...who, command: parsed.command, message: `it was ${fate}` });
      return backend.pastedSecret.answer(fate);
    }
    const mayRun = () => senderId !== null && allowedByPlugin(backend, config).includes(senderId);
    if (standing === "guest" && isRestricted(backend, parsed) && !mayRun()) {
      log?.info("command.refused", { ...who, command: parsed.command, args: parsed.args[0] });
      return refusal(parsed, senderId);
    }
    try {
      await acknowledge?.();
    } catch (error) {
      log?.warn("command.dropped", { ...who, reason: messageOf(error) });
      return undefined; // nobody would see the answer
    }
    try {
      return await backend.handle({
        ...incoming,
        ...parsed,
        text,
        transport,
        configPath: config.path,
        pluginConfig: config.pluginConfig(backend.id),
      });
    } catch (error) {
      log?.error("command.failed", { ...who, command: parsed.command, error: messageOf(error) });
      return { text: redact(`error:\n${messageOf(error)}`), level: "error", exitCode: 78 };
    } finally {
      log?.info("command.handled", { ...who, command: parsed.command, args: parsed.args[0] });
    }
  };
}

/** A message that cannot be taken back stays, and its sender is told. */
async function withdraw(
  { withdraw: take }: CommandExecutor,
  { log, who }: { log: Log | undefined; who: Record<string, unknown> },
): Promise<MessageFate> {
  try {
    return (await take?.()) ?? "kept";
  } catch (error) {
    log?.warn("message.kept", { ...who, error: messageOf(error) });
    return "kept";
  }
}

function standingInTerminal(channelId: string): Standing {
  return channelId === terminalChannel ? "operator" : "outsider";
}

/** Whether a command is for operators alone. */
export function isRestricted(
  { subcommands = [] }: Pick<CommandBackend, "subcommands">,
  { args }: Pick<ParsedCommand, "args">,
): boolean {
  const word = args[0]?.toLowerCase();
  return subcommands.some(({ name, restricted }) => restricted === true && name === word);
}

/** Whom a plugin's own settings allow its restricted subcommands; settings that are wrong allow nobody. */
export function allowedByPlugin(
  { id, allowedUserIds }: CommandBackend,
  config: TakopiConfig,
): readonly string[] {
  try {
    return allowedUserIds?.({ configPath: config.path, pluginConfig: config.pluginConfig(id) }) ?? [];
  } catch (error) {
    if (error instanceof GhauthError) return [];
    throw error;
  }
}

/** What somebody hears who is not an operator: with the id that an operator needs, where there is one. */
export function refusal(
  { command, args: [word = ""] }: Pick<ParsedCommand, "command" | "args">,
  senderId: string | null,
): CommandResult {
  const identity = senderId === null ? "this chat does not say who you are" : `your id is ${senderId}`;
  return {
    text: `You may not run /${command} ${word.toLowerCase()}: ask an operator to run it, or to add you to the allowed users in takopi.toml (${identity}).`,
    level: "warn",
    exitCode: 78,
  };
}

/** What somebody at a terminal hears whose line names no command. */
function unknownCommand(
  text: string,
  { parsed, backends }: { parsed: ParsedCommand | null; backends: Backends },
): CommandResult {
  const known = [...backends.keys()].map((id) => `/${id}`).join(", ");
  if (parsed) {
    const meant = closestWord(parsed.command, [...backends.keys()]);
    const guess = meant === null ? "" : ` Did you mean /${meant}?`;
    return { text: `There is no /${parsed.command} here: ${known}.${guess}`, level: "warn" };
  }
  const meant = meantWithoutSlash(text, backends);
  const guess = meant === null ? "" : ` Did you mean ${meant}?`;
  return { text: `Commands here: ${known}.${guess}`, level: "warn" };
}

/** The command that a line would be with a slash: `ghauth status`, or `status` alone. */
function meantWithoutSlash(text: string, backends: Backends): string | null {
  const [word = "", next = ""] = text.trim().split(/\s+/);
  const id = closestWord(word, [...backends.keys()]);
  for (const backend of backends.values()) {
    const names = (backend.subcommands ?? []).map(({ name }) => name);
    const subcommand = closestWord(id === backend.id ? next : word, names);
    if (subcommand !== null) return `/${backend.id} ${subcommand}`;
  }
  return id === null ? null : `/${id}`;
}
