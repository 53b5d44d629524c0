import { verb } from "../command-line/verb.js";
import { withoutNodeDebug } from "./without-node-debug.js";
import { broker } from "./broker-verbs.js";
import { sidecar } from "./sidecar-verb.js";

// Each verb of `ghauth` is a row here, and what does its work is loaded when it is asked for.

const config = { "--config <FILE>": "the configuration, in place of ~/.takopi/takopi.toml" };
const logLevel = { LOG_LEVEL: "debug, info (default), warn or error" };
const notFresh = { 1: "the token is not fresh" };

const loadSubcommand = (name: string) => async () => {
  const { runSubcommand } = await import("./subcommand-verbs.js");
  return {
    main: async (options: { config?: string; json?: true; prometheus?: true }, words: string[]) =>
      runSubcommand(name, options, words),
  };
};

/** `ghauth`: all its verbs, in the order in which they are shown. */
export const ghauth = verb({
  summary: "keeps coding agents' GitHub access alive",
  variables: {
    XDG_CONFIG_HOME: "where settings are, in place of ~/.config",
    XDG_STATE_HOME: "where the refresh log and marks are, in place of ~/.local/state",
  },
  exitCodes: {
    64: "wrong usage",
    75: "failed for now: trying again may help",
    78: "a person must change something",
  },
  verbs: {
    help: verb({
      summary: "what /ghauth does, or how a verb is used",
      operands: { "[VERB...]": "a verb of ghauth, and a verb of that" },
      load: async () => import("./help.js"),
    }),
    flow: verb({
      summary: "how a token travels from the App's key to gh, git and agents",
      options: config,
      load: loadSubcommand("flow"),
    }),
    status: verb({
      summary: "the token's state, prefix, age and time left; never the token",
      options: {
        "--json": "one JSON object, for machines",
        "--prometheus": "metrics for node_exporter's textfile collector; exits with 0 whatever the state",
        ...config,
      },
      exitCodes: notFresh,
      load: loadSubcommand("status"),
    }),
    history: verb({
      summary: "what the last hours were like: uptime, gaps and why, the last attempts",
      operands: { "[HOURS]": "how far to look back: 1 to 168, 24 unless given" },
      options: { "--json": "one JSON object, for machines", ...config },
      variables: { NO_COLOR: "no colours, also at a terminal" },
      load: loadSubcommand("history"),
    }),
    refresh: verb({
      summary: "run the refresh script once, and show what came of it",
      details: "It exits with the refresh script's code, and with 75 at a timeout.",
      options: config,
      load: loadSubcommand("refresh"),
    }),
    doctor: verb({
      summary: "what is wrong on this host, and the commands that mend it",
      details:
        "--fix runs the remedies that are commands of git, gh, systemctl or chmod, says how each is undone, and prints the others.",
      options: {
        "--json": "one JSON object, for machines",
        "--fix": "show each of these remedies, ask, and run it",
        "--yes": "with --fix: do not ask",
        "--repo <DIR>...": "a clone to look at, beside the one that one stands in",
        ...config,
      },
      variables: {
        UV_TOOL_DIR: "where uv has its tools, and Takopi among them",
        XDG_DATA_HOME: "where else they are",
      },
      exitCodes: { 1: "an error is left" },
      load: async () => import("./doctor.js"),
    }),
    revoke: verb({
      summary: "end the token at GitHub, for whoever has it, and get another",
      details:
        "It asks first, at a terminal. It exits with the refresh script's code, and with 75 at a timeout.",
      options: { "--yes": "do not ask", ...config },
      exitCodes: { 1: "it was not confirmed, and nothing was revoked" },
      load: async () => import("./revoke-verb.js"),
    }),
    run: verb({
      summary: "serve /ghauth in chat, on the transports of takopi.toml",
      options: config,
      variables: logLevel,
      load: withoutNodeDebug(async () => import("./run.js")),
    }),
    notify: verb({
      summary: "tell the chats of takopi.toml what is new in the refresh log, and send a heartbeat",
      details:
        "One look, at most one message a chat; systemd runs it after each run of the refresh service. Its settings are [plugins.ghauth.alerts].",
      options: { "--where": "only say where alerts go, and how to stop them", ...config },
      variables: logLevel,
      load: withoutNodeDebug(async () => import("./notify.js")),
    }),
    plugins: verb({
      summary: "list the installed command backends",
      options: { "--load": "import them, and tell what fails", ...config },
      load: async () => import("./plugins.js"),
    }),
    command: verb({
      summary: "answer one JSON request on stdin, for Takopi's shim",
      load: async () => import("./command-verb.js"),
    }),
    exec: verb({
      summary: "run a command with a fresh token in its environment",
      details:
        "GH_TOKEN and GITHUB_TOKEN are in the environment of that command alone; for an Enterprise host, GH_ENTERPRISE_TOKEN and GITHUB_ENTERPRISE_TOKEN too.",
      operands: { "<COMMAND>": "what to run", "[ARGUMENT...]": "all that follows" },
      variables: {
        TOKEN_ENV_FILE: "where the token is, in place of ~/.config/takopi/github-token.env",
        GHAUTH_REFRESH_SCRIPT: "in place of ~/.local/bin/takopi-refresh-github-token",
      },
      exitCodes: {
        75: "or 78: no token, as the refresh script says, and nothing was run",
        126: "the command cannot be executed",
        127: "the command was not found",
        "128+n": "signal n ended it; else its own code",
      },
      passesWordsOn: true,
      load: async () => import("../exec/main.js"),
    }),
    broker,
    sidecar,
    demo: verb({
      summary: "the whole chain on an embedded GitHub stand-in",
      details: "Lines on stdin are answered like commands in chat; without any it plays a tour.",
      load: async () => import("./demo.js"),
    }),
    completion: verb({
      summary: "print a script by which a shell completes the words of ghauth",
      details:
        'In ~/.bashrc: eval "$(ghauth completion bash)". In ~/.zshrc, after compinit: eval "$(ghauth completion zsh)". For fish: ghauth completion fish >~/.config/fish/completions/ghauth.fish',
      operands: { "<bash|zsh|fish>": "the shell" },
      load: async () => import("./completion/completion.js"),
    }),
  },
});
