import { hostname } from "node:os";
import { toGhauthError } from "../errors.js";
import { type Clock, systemClock } from "../system/clock.js";
import { type Environment, resolvePaths } from "../system/paths.js";
import { createTimerReader } from "../system/systemd-timer.js";
import { type CommandBackend, type CommandContext, terminalChannel } from "../takopi/command-backend.js";
import { createManualRefresh } from "./manual-refresh.js";
import type { Page } from "./page.js";
import { parsePluginConfig, type PluginConfig } from "./plugin-config.js";
import { redactReply } from "./redact-reply.js";
import { describeStatus } from "./status-page.js";
import { help } from "./subcommands/help.js";
import { subcommands } from "./subcommands/subcommands.js";
import { readStatus, type Status } from "./token-status.js";

/** `hasTimerAndGh` is false where neither is meant to be, so that nothing is to be told of them: in a demo. */
export type GhauthDeps = { clock: Clock; env: Environment; hasTimerAndGh?: boolean };

type WithConfig = Pick<CommandContext, "pluginConfig" | "configPath">;

export type GhauthCommand = CommandBackend & {
  /** Throws `config_invalid`, which `handle` makes a reply of. */
  checkConfig: (context: WithConfig) => void;
  /** How things stand, as `status --json` prints it. Rejects with `config_invalid`. */
  status: (context: WithConfig) => Promise<Status>;
};

/**
 * Creates `/ghauth`. One refresh runs at a time, the cooldown is kept, and the timer is read once a second at most, for
 * all that share what is created here.
 */
export function createGhauthCommand({ clock, env, hasTimerAndGh = true }: GhauthDeps): GhauthCommand {
  const paths = resolvePaths(env);
  const manualRefresh = createManualRefresh({ clock, env });
  const readTimer = hasTimerAndGh ? createTimerReader({ clock, env }) : async () => noTimer;
  const configOf = ({ pluginConfig, configPath }: WithConfig) =>
    parsePluginConfig(pluginConfig, { configPath: configPath ?? paths.takopiConfig, paths, env });
  const statusOf = async (config: PluginConfig): Promise<{ status: Status; page: Page }> => {
    const timer = await readTimer();
    const now = clock.now();
    const status = readStatus(config, { now, paths, timer, env });
    return { status, page: describeStatus(status, { now, timer, hasGh: hasTimerAndGh }) };
  };

  return {
    id: "ghauth",
    description: `GitHub token: ${subcommands.map(({ name }) => name).join(", ")}`,
    subcommands: subcommands.map(({ name, summary, restricted = false }) => ({
      name,
      description: summary,
      restricted,
    })),
    checkConfig: (context) => void configOf(context),
    status: async (context) => (await statusOf(configOf(context))).status,
    handle: async (context) => {
      const word = context.args[0]?.toLowerCase();
      const subcommand = subcommands.find(({ name }) => name === word) ?? help;
      try {
        const result = await subcommand.run({
          context,
          get config() {
            return configOf(context);
          },
          clock,
          env,
          paths,
          hostName: context.message.channelId === terminalChannel ? null : hostname(),
          subcommands,
          manualRefresh,
          hasGh: hasTimerAndGh,
          readTimer,
          readStatus: async () => statusOf(configOf(context)),
        });
        return result && redactReply(result);
      } catch (thrown) {
        const error = toGhauthError(thrown);
        return redactReply({ text: `error:\n${error.message}`, level: "error", exitCode: error.exitCode });
      }
    },
  };
}

const noTimer = { type: "none" } as const;

/** The command backend that Takopi and our host load. */
export const BACKEND: CommandBackend = createGhauthCommand({ clock: systemClock, env: process.env });
