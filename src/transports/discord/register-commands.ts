import {
  type APIApplicationCommand,
  type APIApplicationCommandOption,
  ApplicationCommandOptionType,
  ApplicationCommandType,
  type Client,
  InteractionContextType,
  type RESTPostAPIApplicationCommandsJSONBody,
  Routes,
} from "discord.js";
import type { Operand } from "../../takopi/command-backend.js";
import type { TransportService } from "../../takopi/transport.js";

type Command = TransportService["commands"][number];

/**
 * Registers each command, in the guild or, without one, everywhere; one that already stands so is left alone, and so
 * are the commands of others that share the bot. Resolves with the names of those that were written.
 */
export async function registerCommands(
  client: Client<true>,
  commands: readonly Command[],
  guildId: string | null,
): Promise<string[]> {
  const { id } = client.application;
  const route =
    guildId === null ? Routes.applicationCommands(id) : Routes.applicationGuildCommands(id, guildId);
  const stored: unknown = await client.rest.get(route);
  const written: string[] = [];
  for (const command of commands.map((each) => describeCommand(each, guildId))) {
    const present = Array.isArray(stored)
      ? stored.find((each: unknown) => isNamed(each, command.name))
      : undefined;
    if (holds(present, command)) continue;
    await client.rest.post(route, { body: command }); // by name, it replaces: Discord's upsert
    written.push(command.name);
  }
  return written;
}

function describeCommand({ id, description, subcommands = [] }: Command, guildId: string | null) {
  const text = (words: string) => words.slice(0, 100) || id;
  const freeText: APIApplicationCommandOption = {
    type: ApplicationCommandOptionType.String,
    name: "args",
    description: "arguments",
  };
  return {
    type: ApplicationCommandType.ChatInput,
    name: id,
    description: text(description),
    options:
      subcommands.length === 0
        ? [freeText]
        : subcommands.map((each) => ({
            type: ApplicationCommandOptionType.Subcommand,
            name: each.name,
            description: text(each.description),
            ...(each.operand && { options: [describeOperand(each.operand)] }),
          })),
    // With any, Discord would hide the command from members without it, allowed roles or not. Who may do what is decided here.
    default_member_permissions: null,
    // Only a global command has contexts.
    ...(guildId === null && { contexts: [InteractionContextType.Guild] }),
  } satisfies RESTPostAPIApplicationCommandsJSONBody;
}

function describeOperand({ name, description, least, most }: Operand) {
  return {
    type: ApplicationCommandOptionType.Integer as const,
    name,
    description,
    min_value: least,
    max_value: most,
  };
}

function isNamed(value: unknown, name: string): value is APIApplicationCommand {
  return typeof value === "object" && value !== null && "name" in value && value.name === name;
}

/** Whether `stored` says all that `wanted` says; Discord adds ids, versions and defaults. */
function holds(stored: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted))
    return (
      Array.isArray(stored) &&
      stored.length === wanted.length &&
      wanted.every((item, index) => holds(stored[index], item))
    );
  if (typeof wanted !== "object" || wanted === null) return stored === wanted;
  if (typeof stored !== "object" || stored === null) return false;
  return Object.entries(wanted).every(([key, value]) => holds(Reflect.get(stored, key), value));
}
