/**
 * Takopi's contract for command backends, with its field names in camelCase: a module exports `BACKEND`, and its
 * package declares `"takopi": {"command_backends": {"<id>": "./module.js"}}`.
 */
export type CommandBackend = {
  /** What follows the slash: `^[a-z0-9_]{1,32}$`. */
  id: string;
  description: string;
  /** What may follow the id, for transports that show a menu. A restricted one is for the transport's allowed users alone. */
  subcommands?: readonly Subcommand[];
  /** Who may run restricted ones beside the transport's allowed users, by its own configuration. Throws `config_invalid`. */
  allowedUserIds?: (context: Pick<CommandContext, "pluginConfig" | "configPath">) => readonly string[];
  /**
   * For who pastes a token or key: such a command is never handled, whoever sent it, and its message is taken back where
   * the transport may.
   */
  pastedSecret?: {
    isIn: (command: { args: readonly string[]; argsText: string }) => boolean;
    /** What its sender hears; must not repeat it. */
    answer: (fate: MessageFate) => CommandResult;
  };
  /** Answers a command, or resolves with undefined for silence. */
  handle: (context: CommandContext) => Promise<CommandResult | undefined>;
};

export type Subcommand = { name: string; description: string; restricted?: boolean; operand?: Operand };

/** A whole number that may follow a subcommand's name. */
export type Operand = { name: string; description: string; least: number; most: number };

export type CommandContext = {
  command: string;
  text: string;
  argsText: string;
  args: readonly string[];
  message: CommandMessage;
  /** The transport that it came by, as configurations name it; null for a terminal, or where that is not known. */
  transport: string | null;
  replyTo: MessageRef | null;
  replyText: string | null;
  configPath: string | null;
  /** The plugin's own table, `[plugins.<id>]`, as it stands in the configuration. */
  pluginConfig: Readonly<Record<string, unknown>>;
  executor: CommandExecutor;
};

export type CommandMessage = {
  channelId: string;
  messageId: string | null;
  threadId: string | null;
  /** Who sent it; null where the transport cannot tell. */
  senderId: string | null;
  raw: unknown;
};

/** The channel of whoever sits at a terminal of this machine. */
export const terminalChannel = "terminal";

export type MessageRef = { channelId: string; messageId: string };

/** What became of a message that was to be taken back; `unseen`: the transport never showed it to anybody else. */
export type MessageFate = "deleted" | "kept" | "unseen";

/** Lets a command speak before it is done: `send` resolves with null where what was sent cannot be edited. */
export type CommandExecutor = {
  send: (reply: Reply) => Promise<MessageRef | null>;
  edit: (message: MessageRef, reply: Reply) => Promise<void>;
  /** Takes back the message that the command came in, as far as the transport may. Without it, it stays. */
  withdraw?: () => Promise<MessageFate>;
};

/** Where a value ends in an instant, `at` is that instant and `lead` what stands before, for transports that show instants natively. */
export type ReplyField = { name: string; value: string; at?: Date; lead?: string };

/** A subcommand that a button under a message runs. */
export type Action = "refresh" | "doctor" | "revoke";

/** What a transport shows: `text` is complete by itself; the rest lets it show the same natively. */
export type Reply = {
  text: string;
  level?: "ok" | "warn" | "error";
  title?: string;
  /** Lines that draw a picture, to be shown as they are. */
  strip?: string;
  fields?: readonly ReplyField[];
  notes?: readonly string[];
  /** The end of a program's output. */
  tail?: string;
  actions?: readonly Action[];
};

export type CommandResult = Reply & {
  notify?: boolean;
  replyTo?: MessageRef;
  /** What a terminal exits with; 0 unless given. */
  exitCode?: number;
};
