import type { Clock } from "../system/clock.js";
import type { Environment, Paths } from "../system/paths.js";
import type { TimerState } from "../system/systemd-timer.js";
import type { CommandContext, CommandResult, Operand } from "../takopi/command-backend.js";
import type { TerminalLook } from "./history/strip.js";
import type { ManualRefresh } from "./manual-refresh.js";
import type { Page } from "./page.js";
import type { PluginConfig } from "./plugin-config.js";
import type { RevokeAsked } from "./revoke-asked.js";
import type { Status } from "./read-status.js";

export type Subcommand = {
  /** Lower case. */
  name: string;
  summary: string;
  /** For allowed users alone. */
  restricted?: boolean;
  /** What may follow its name. */
  operand?: Operand;
  /** Whether what stands behind its name will do, where that is asked first. Throws `usage`. */
  checkWords?: (words: readonly string[]) => void;
  run: (call: Call) => CommandResult | Promise<CommandResult | undefined>;
  /** The same for programs, by the option of `ghauth` that asks for it. */
  forms?: Readonly<Record<string, (call: Call) => Promise<Printed>>>;
};

/** What a form prints, and what a terminal then exits with. */
export type Printed = { text: string; exitCode: number };

/** What a subcommand works with. */
export type Call = {
  context: CommandContext;
  /** Read when it is asked for, and not before: help must help where it is what is wrong. Throws `config_invalid`. */
  readonly config: PluginConfig;
  clock: Clock;
  env: Environment;
  paths: Paths;
  /** What stands behind the subcommand's name. */
  words: readonly string[];
  terminal: TerminalLook;
  /** This machine, for a chat that may show several; null at its own terminal. */
  hostName: string | null;
  subcommands: readonly Subcommand[];
  manualRefresh: ManualRefresh;
  revokeAsked: RevokeAsked;
  /** Whether this process ends with its answer. */
  isBrief: boolean;
  /** Whether gh is meant to get the token too. */
  hasGh: boolean;
  readTimer: () => Promise<TimerState>;
  /** How things stand now, and the page that shows it. */
  readStatus: () => Promise<{ status: Status; page: Page }>;
};
