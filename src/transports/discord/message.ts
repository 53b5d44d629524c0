import { ButtonStyle, ComponentType, escapeMarkdown, time, TimestampStyles } from "discord.js";
import type { Reply, ReplyField } from "../../takopi/command-backend.js";
import { actionButtons } from "../action-buttons.js";
import { cutEnd, fitParts, levelMarks, partsOf } from "../reply-parts.js";

// discord.com/developers/docs: message content, and an embed's description.
const longestContent = 2_000;
const longestDescription = 4_096;
const colours = { ok: 0x2ea043, warn: 0xd29922, error: 0xf85149 } as const;

/** A reply as Discord shows it: plain content, or an embed with its level's colour; a button an action; nobody is mentioned. */
export function renderMessage(reply: Reply, command: string | null) {
  const isPlain =
    reply.title === undefined && reply.level === undefined && reply.text.length <= longestContent;
  const buttons = (command === null ? [] : (reply.actions ?? [])).map((action) => ({
    type: ComponentType.Button as const,
    style: actionButtons[action].isDanger ? (ButtonStyle.Danger as const) : (ButtonStyle.Secondary as const),
    label: actionButtons[action].label,
    custom_id: `/${command} ${action}`,
  }));
  return {
    content: isPlain ? orBlank(reply.text) : "",
    embeds: isPlain ? [] : [renderEmbed(reply)],
    components: buttons.length === 0 ? [] : [{ type: ComponentType.ActionRow as const, components: buttons }],
    allowedMentions: { parse: [] },
  };
}

function renderEmbed(reply: Reply) {
  const { heading, body, tail } = partsOf(reply, { renderField, escape: asItIs });
  const mark = reply.level ? `${levelMarks[reply.level]} ` : "";
  const parts = fitParts(
    // A fence in the output would end its block.
    { heading: "", body, tail: tail.replaceAll("```", "`\u200B``") },
    longestDescription - "```\n\n```\n".length,
  );
  const blocks = [parts.body, ...(parts.tail.trim() === "" ? [] : [`\`\`\`\n${parts.tail}\n\`\`\``])];
  const description = blocks.filter((block) => block.trim() !== "").join("\n");
  return {
    ...(heading !== "" && { title: cutEnd(`${mark}${asItIs(heading)}`, 256) }),
    ...((description !== "" || heading === "") && { description: orBlank(description) }),
    ...(reply.level && { color: colours[reply.level] }),
  };
}

function renderField({ name, value, at, lead = "" }: ReplyField): string {
  const shown = at ? `${asItIs(lead)}${time(at, TimestampStyles.RelativeTime)}` : asItIs(value);
  return `**${asItIs(name)}**: ${shown}`;
}

/** Markup, and a link under another name, are shown and not followed: what a log or a script says may hold anything. */
function asItIs(text: string): string {
  return escapeMarkdown(text, { maskedLink: true });
}

function orBlank(text: string): string {
  return text.trim() === "" ? "(nothing to show)" : text;
}
