import { hostname } from "node:os";
import { GhauthError, toGhauthError } from "../errors.js";
import { type Clock, systemClock } from "../system/clock.js";
import { type Environment, resolvePaths } from "../system/paths.js";
import { createTimerReader } from "../system/systemd-timer.js";
import { type CommandBackend, type CommandContext, terminalChannel } from "../takopi/command-backend.js";
import type { TerminalLook } from "./history/strip.js";
import { createManualRefresh } from "./manual-refresh.js";
import { type Page, renderPage } from "./page.js";
import { parsePluginConfig, type PluginConfig } from "./plugin-config.js";
import { pastedSecret } from "./pasted-secret.js";
import { redactReply } from "./redact-reply.js";
import { createRevokeAsked } from "./revoke-asked.js";
import { describeStatus } from "./status-page.js";
import type { Call, Printed } from "./subcommand.js";
import { help } from "./subcommands/help.js";
import { subcommands } from "./subcommands/subcommands.js";
import { readStatus, type Status } from "./read-status.js";

/** `hasTimerAndGh` is false where neither is meant to be, so that nothing is to be told of them: in a demo. */
export type GhauthDeps = {
  clock: Clock;
  env: Environment;
  hasTimerAndGh?: boolean;
  /** Whether this process ends with its answer, so that what it remembers is lost. */
  isBrief?: boolean;
  /** How the terminal looks that it may be asked from; 80 columns without colours unless given. */
  terminal?: TerminalLook;
};

type WithConfig = Pick<CommandContext, "pluginConfig" | "configPath">;

export type GhauthCommand = CommandBackend & {
  /** Throws `config_invalid`, which `handle` makes a reply of. */
  checkConfig: (context: WithConfig) => void;
  /** Throws `usage`, which `handle` makes a reply of. */
  checkWords: (name: string, words: readonly string[]) => void;
  /** How things stand, as `status --json` prints it. Rejects with `config_invalid`. */
  status: (context: WithConfig) => Promise<Status>;
  /** A subcommand for programs, as its `form` prints it. Rejects with a GhauthError. */
  print: (
    asked: { name: string; form: string; words: readonly string[] },
    context: WithConfig,
  ) => Promise<Printed>;
};

/**
 * Creates `/ghauth`. One refresh runs at a time, the cooldown is kept, and the timer is read once a second at most, for
 * all that share what is created here.
 */
export function createGhauthCommand({
  clock,
  env,
  hasTimerAndGh = true,
  isBrief = false,
  terminal = plainTerminal,
}: GhauthDeps): GhauthCommand {
  const paths = resolvePaths(env);
  const manualRefresh = createManualRefresh({ clock, env, refreshLog: paths.refreshLog });
  const revokeAsked = createRevokeAsked(paths.revokeAsked);
  const readTimer = hasTimerAndGh ? createTimerReader({ clock, env }) : async () => noTimer;
  const configOf = ({ pluginConfig, configPath }: WithConfig) =>
    parsePluginConfig(pluginConfig, { configPath: configPath ?? paths.takopiConfig, paths, env });
  const statusOf = async (config: PluginConfig): Promise<{ status: Status; page: Page }> => {
    const timer = await readTimer();
    const now = clock.now();
    const status = readStatus(config, { now, paths, timer, env });
    return { status, page: describeStatus(status, { now, timer, hasGh: hasTimerAndGh }) };
  };
  const callOf = (context: CommandContext): Call => ({
    context,
    get config() {
      return configOf(context);
    },
    clock,
    env,
    paths,
    words: context.args.slice(1),
    terminal,
    hostName: context.message.channelId === terminalChannel ? null : hostname(),
    subcommands,
    manualRefresh,
    revokeAsked,
    isBrief,
    hasGh: hasTimerAndGh,
    readTimer,
    readStatus: async () => statusOf(configOf(context)),
  });

  return {
    id: "ghauth",
    description: `GitHub token: ${subcommands.map(({ name }) => name).join(", ")}`,
    subcommands: subcommands.map(({ name, summary, restricted = false, operand }) => ({
      name,
      description: summary,
      restricted,
      ...(operand && { operand }),
    })),
    allowedUserIds: (context) => configOf(context).refreshUserIds,
    pastedSecret,
    checkConfig: (context) => void configOf(context),
    checkWords: (name, words) => subcommands.find((each) => each.name === name)?.checkWords?.(words),
    status: async (context) => (await statusOf(configOf(context))).status,
    print: async ({ name, form, words }, context) => {
      const render = subcommands.find((each) => each.name === name)?.forms?.[form];
      if (!render) throw new GhauthError("usage", `ghauth ${name} has no --${form}.`);
      return render(callOf({ ...atTerminal, ...context, args: [name, ...words] }));
    },
    handle: async (context) => {
      const word = context.args[0]?.toLowerCase();
      const subcommand = subcommands.find(({ name }) => name === word) ?? help;
      if (context.message.channelId !== terminalChannel && context.args.some((each) => each.startsWith("-")))
        return renderPage({ title: noOptions, level: "warn", actions: [] });
      try {
        const result = await subcommand.run(callOf(context));
        return result && redactReply(result);
      } catch (thrown) {
        const error = toGhauthError(thrown);
        return redactReply({ text: `error:\n${error.message}`, level: "error", exitCode: error.exitCode });
      }
    },
  };
}

const noOptions = "In chat /ghauth takes no options: leave out the words that begin with a dash.";

const plainTerminal: TerminalLook = { columns: 80, hasColours: false };

/** A command that was not typed in a chat, and whose answer is no reply. */
const atTerminal = {
  command: "ghauth",
  text: "",
  argsText: "",
  transport: null,
  message: { channelId: terminalChannel, messageId: null, threadId: null, senderId: null, raw: null },
  replyTo: null,
  replyText: null,
  executor: { send: async () => null, edit: async () => {} },
};

const noTimer = { type: "none" } as const;

/** The command backend that Takopi and our host load. */
export const BACKEND: CommandBackend = createGhauthCommand({ clock: systemClock, env: process.env });
