import type { TomlTable } from "../files/toml.js";
import type { Log } from "../log/log.js";
import type { Environment } from "../system/paths.js";
import type { Secret } from "../token/secret.js";
import type { AccessPolicy } from "./access.js";
import type { CommandBackend, Reply } from "./command-backend.js";
import type { Dispatch } from "./dispatch.js";
import type { TakopiConfig } from "./takopi-config.js";

/** What one folder of `transports/` says of itself, and all that the rest of the program knows of it. */
export type TransportDescriptor = {
  /** As it stands in `transport = "…"`, and in the name of its table. */
  name: string;
  /**
   * Who may do what by way of it, as its table says; null where everybody who reaches it is an operator: the terminal.
   * Throws `config_invalid`, naming file and key.
   */
  readAccess: ((config: TakopiConfig) => AccessPolicy) | null;
  /** Loads nothing of what it needs to run. Throws `config_invalid`, naming file and key. */
  create: (config: TakopiConfig, env: Environment) => Transport;
  /** How its place is told something while nobody serves it; null where that cannot be: the terminal. */
  alerts: AlertOutlet | null;
};

export type AlertOutlet = {
  /** Its own keys in `[plugins.ghauth.alerts]`. */
  keys: readonly string[];
  /** Reads its own table and its keys of `alerts`. Throws `config_invalid`, naming file and key. */
  describe: (config: TakopiConfig, alerts: TomlTable) => AlertPlace;
};

export type AlertPlace = {
  /** For people, as in `the chat -1001`; the same place is always called the same. */
  name: string;
  /** The environment variable that its bot token comes from, if it does. */
  variable: string | null;
  /** Reads the bot token. Throws `config_invalid`. */
  open: (env: Environment) => { botToken: Secret; post: (announcement: Announcement) => Promise<void> };
};

/** What is posted of our own accord; with `mentions`, the allowed users are named. */
export type Announcement = {
  reply: Reply;
  /** Of the buttons: what the subcommands follow. */
  command: string;
  mentions: boolean;
};

/** A transport, ready to run. */
export type Transport = {
  name: string;
  /** Null where everybody who reaches it is an operator. */
  access: AccessPolicy | null;
  /** The keys of its table that say who may run restricted subcommands. */
  allowlistKeys: readonly string[];
  /** What it logs in with, and the environment variable that it came from, if it did. */
  login: { botToken: Secret; variable: string | null } | null;
  postsStartupMessage: boolean;
  run: RunTransport;
};

/** Serves commands until its input ends or `signal` aborts. Rejects where it cannot go on. */
export type RunTransport = (service: TransportService, signal: AbortSignal) => Promise<void>;

/** What the host gives a transport to work with. */
export type TransportService = {
  dispatch: Dispatch;
  /** What a menu of commands shows. */
  commands: readonly Pick<CommandBackend, "id" | "description" | "subcommands">[];
  /** Whom it serves; the dispatch already asks it. */
  place: AccessPolicy["place"];
  /** To be posted once it is up; null: nothing. */
  startupMessage: string | null;
  log: Log;
};
