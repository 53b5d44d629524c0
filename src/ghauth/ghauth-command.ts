import { toGhauthError } from "../errors.js";
import { type Clock, systemClock } from "../system/clock.js";
import { displayPath, type Environment, type Paths, resolvePaths } from "../system/paths.js";
import { readTimer } from "../system/systemd-timer.js";
import {
  type CommandBackend,
  type CommandContext,
  type CommandResult,
  type Reply,
  terminalChannel,
} from "../takopi/command-backend.js";
import { redact, type Secret } from "../token/secret.js";
import { readTokenFile } from "../token/token-file.js";
import { createManualRefresh, type ManualRefresh } from "./manual-refresh.js";
import { parsePluginConfig, type PluginConfig } from "./plugin-config.js";
import { renderReply, renderStatus, scheduleFields } from "./render.js";
import { readStatus, type Status } from "./token-status.js";

export type GhauthDeps = { clock: Clock; env: Environment };

type WithConfig = Pick<CommandContext, "pluginConfig" | "configPath">;

export type GhauthCommand = CommandBackend & {
  /** Rejects with `config_invalid`, which `handle` makes a reply of. */
  checkConfig: (context: WithConfig) => void;
  /** How things stand, as `status --json` prints it. Rejects with `config_invalid`. */
  status: (context: WithConfig) => Promise<Status>;
};

type Call = {
  context: CommandContext;
  config: PluginConfig;
  paths: Paths;
  deps: GhauthDeps;
  manualRefresh: ManualRefresh;
};
type Subcommand = {
  summary: string;
  /** For allowed users alone. */
  restricted?: boolean;
  run: (call: Call) => CommandResult | Promise<CommandResult | undefined>;
};

const subcommands = new Map<string, Subcommand>([
  ["help", { summary: "this list", run: help }],
  ["flow", { summary: "how a token travels from the App's key to gh, git and agents", run: flow }],
  ["status", { summary: "the token's state, prefix, age and time left", run: status }],
  [
    "refresh",
    { summary: "run the refresh script once and show what came of it", restricted: true, run: refresh },
  ],
]);

/** Creates `/ghauth`. One refresh runs at a time, and the cooldown is kept, for all that share what is created here. */
export function createGhauthCommand(deps: GhauthDeps): GhauthCommand {
  const paths = resolvePaths(deps.env);
  const manualRefresh = createManualRefresh(deps);
  const configOf = ({ pluginConfig, configPath }: WithConfig) =>
    parsePluginConfig(pluginConfig, { configPath: configPath ?? paths.takopiConfig, paths, env: deps.env });

  return {
    id: "ghauth",
    description: "GitHub token: help, flow, status, refresh",
    subcommands: [...subcommands].map(([name, { summary, restricted = false }]) => ({
      name,
      description: summary,
      restricted,
    })),
    checkConfig: (context) => void configOf(context),
    status: async (context) => {
      const config = configOf(context);
      const timer = await readTimer(deps.env);
      return readStatus(config, { now: deps.clock.now(), paths, timer });
    },
    handle: async (context) => {
      try {
        const subcommand = subcommands.get(context.args[0]?.toLowerCase() ?? "");
        if (!subcommand) return help();
        const result = await subcommand.run({
          context,
          paths,
          deps,
          manualRefresh,
          // Only when asked for: help must help where the configuration is what is wrong.
          get config() {
            return configOf(context);
          },
        });
        return result && redactReply(result, []);
      } catch (thrown) {
        const error = toGhauthError(thrown);
        return redactReply(
          { text: `error:\n${error.message}`, level: "error", exitCode: error.exitCode },
          [],
        );
      }
    },
  };
}

/** The command backend that Takopi and our host load. */
export const BACKEND: CommandBackend = createGhauthCommand({ clock: systemClock, env: process.env });

function help(): CommandResult {
  const usage = [...subcommands].map(([name, { summary }]) => ({
    name: `/ghauth ${name}`,
    value: summary,
  }));
  return renderReply({
    title: "Keeps this host's GitHub token alive.",
    level: "ok",
    fields: usage,
    actions: [],
  });
}

async function flow({ config, paths, deps }: Call): Promise<CommandResult> {
  const timer = await readTimer(deps.env);
  const show = (path: string) => displayPath(path, paths.home);
  return renderReply({
    title: "How a token travels:",
    level: "ok",
    fields: [
      { name: "1. private key", value: `${show(paths.privateKeyFile)}, which only the refresh script reads` },
      {
        name: "2. refresh script",
        value: `${show(config.refreshScript)} mints an installation token and tries it`,
      },
      { name: "3. token env file", value: `${show(config.tokenEnvFile)} gets it in one step` },
      { name: "4. gh", value: `${show(paths.ghConfigDir)}/hosts.yml gets it too` },
      { name: "5. git and agents", value: "take it from there, through the credential helper or gh" },
      ...scheduleFields(timer, deps.clock.now()),
    ],
    actions: [],
  });
}

async function status(call: Call): Promise<CommandResult> {
  const { state, reply } = await readAndRender(call);
  return { ...reply, exitCode: state === "fresh" ? 0 : 1 };
}

async function readAndRender({
  config,
  paths,
  deps,
}: Call): Promise<{ state: Status["state"]; reply: Reply }> {
  const timer = await readTimer(deps.env);
  const now = deps.clock.now();
  const read = readStatus(config, { now, paths, timer });
  return { state: read.state, reply: renderStatus(read, { now, timer }) };
}

async function refresh(call: Call): Promise<CommandResult | undefined> {
  const { context, config, manualRefresh } = call;
  const isTerminal = context.message.channelId === terminalChannel;
  const before = heldSecrets(config);
  const started = manualRefresh.start(config, { hasCooldown: !isTerminal });
  if (started.type === "cooldown") {
    const title = `The token was refreshed ${started.agoSeconds} s ago: wait ${started.waitSeconds} s before the next refresh.`;
    return renderReply({ title, level: "warn" });
  }
  const isJoining = started.type === "joined";
  const running = await context.executor.send({
    text: isJoining ? "A refresh is already running: waiting for it…" : "Refreshing the GitHub token…",
    level: "ok",
  });
  const outcome = await started.outcome;
  const { reply: read } = await readAndRender(call);
  const reply = redactReply(
    renderReply({
      title: outcome.sentence,
      level: outcome.exitCode === 0 ? (read.level ?? "ok") : "error",
      fields: [{ name: "took", value: `${(outcome.ms / 1000).toFixed(1)} s` }, ...(read.fields ?? [])],
      notes: read.notes ?? [],
      tail: outcome.tail(before),
    }),
    [...before, ...heldSecrets(config)],
  );
  if (running === null) return { ...reply, exitCode: outcome.exitCode };
  await context.executor.edit(running, reply);
  return undefined;
}

function heldSecrets({ tokenEnvFile }: PluginConfig): Secret[] {
  const file = readTokenFile(tokenEnvFile);
  return file.type === "token" ? [file.token.secret] : [];
}

function redactReply<T extends Reply>(reply: T, secrets: readonly Secret[]): T {
  const clean = (text: string) => redact(text, secrets);
  return {
    ...reply,
    text: clean(reply.text),
    ...(reply.title !== undefined && { title: clean(reply.title) }),
    ...(reply.tail !== undefined && { tail: clean(reply.tail) }),
    ...(reply.notes && { notes: reply.notes.map((note) => clean(note)) }),
    ...(reply.fields && { fields: reply.fields.map((field) => ({ ...field, value: clean(field.value) })) }),
  };
}
