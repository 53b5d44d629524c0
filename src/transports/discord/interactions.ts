import {
  type ButtonInteraction,
  type ChatInputCommandInteraction,
  type CommandInteractionOption,
  type Interaction,
  MessageFlags,
} from "discord.js";
import type { MessageRef, Reply } from "../../takopi/command-backend.js";
import type { TransportService } from "../../takopi/transport.js";
import { parseCommand } from "../../takopi/parse-command.js";
import { renderMessage } from "./message.js";

type Answerable = ChatInputCommandInteraction | ButtonInteraction;

/** Takes a slash command or a pressed button to the dispatch, and its answer back: seen by its sender alone. */
export async function answerInteraction(
  interaction: Interaction,
  { dispatch }: Pick<TransportService, "dispatch">,
): Promise<void> {
  if (!interaction.isChatInputCommand() && !interaction.isButton()) return;
  const text = textOf(interaction);
  const command = parseCommand(text)?.command ?? null;
  const show = async (reply: Reply): Promise<MessageRef> => {
    const { id, channelId } = await interaction.editReply(renderMessage(reply, command));
    return { channelId, messageId: id };
  };
  const result = await dispatch({
    text,
    placeId: interaction.guildId,
    roleIds: rolesOf(interaction),
    message: {
      channelId: interaction.channelId ?? "",
      messageId: interaction.isButton() ? interaction.message.id : null,
      threadId: interaction.channel?.isThread() === true ? interaction.channel.id : null,
      senderId: interaction.user.id,
      raw: interaction,
    },
    replyTo: null,
    replyText: null,
    // Discord waits three seconds for this, and then fifteen minutes for the rest.
    acknowledge: async () => {
      if (interaction.isButton()) await interaction.deferUpdate();
      else await interaction.deferReply({ flags: MessageFlags.Ephemeral });
    },
    executor: {
      send: show,
      edit: async (_message, reply) => void (await show(reply)),
      withdraw: async () => "unseen", // Discord shows what was typed to nobody else
    },
  });
  if (!result) return;
  if (interaction.deferred) await show(result);
  else await interaction.reply({ ...renderMessage(result, null), flags: MessageFlags.Ephemeral });
}

/** What the same command would be as a line of text; a button holds that line. */
function textOf(interaction: Answerable): string {
  if (interaction.isButton()) return interaction.customId;
  return ["/", interaction.commandName, ...wordsOf(interaction.options.data)].join(" ").replace("/ ", "/");
}

/** Subcommands by their names, and the text of an `args` option, as takopi-discord registers it. */
function wordsOf(options: readonly CommandInteractionOption[]): string[] {
  return options.flatMap(({ name, value, options: inner }) =>
    value === undefined ? [name, ...wordsOf(inner ?? [])] : [String(value)],
  );
}

/** Roles are plain ids where the guild is not in the cache. */
function rolesOf(interaction: Answerable): string[] {
  const { member } = interaction;
  if (!member) return [];
  return Array.isArray(member.roles) ? member.roles : [...member.roles.cache.keys()];
}
