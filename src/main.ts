#!/usr/bin/env node
import { toGhauthError } from "./errors.js";
import { redact } from "./token/redact.js";

type Verb = {
  summary: string;
  /** It sends secrets over HTTP, which NODE_DEBUG would print. */
  sendsSecrets?: true;
  load: () => Promise<{ main: (args: string[]) => Promise<number> }>;
};

const subcommandVerb = async (name: string) => {
  const { runSubcommand } = await import("./cli/subcommand-verbs.js");
  return { main: async (args: string[]) => runSubcommand(name, args) };
};

const verbs: Record<string, Verb> = {
  help: { summary: "what /ghauth does", load: async () => subcommandVerb("help") },
  flow: { summary: "how a token travels", load: async () => subcommandVerb("flow") },
  status: { summary: "the token's state; [--json]", load: async () => subcommandVerb("status") },
  refresh: { summary: "run the refresh script once", load: async () => subcommandVerb("refresh") },
  run: {
    summary: "the chat host; [--config FILE]",
    sendsSecrets: true,
    load: async () => import("./cli/run.js"),
  },
  plugins: {
    summary: "the installed command backends; [--load] [--config FILE]",
    load: async () => import("./cli/plugins.js"),
  },
  command: {
    summary: "answers one JSON request on stdin, for the Takopi shim",
    load: async () => import("./cli/shim-answer.js"),
  },
  exec: {
    summary: "-- COMMAND… with a fresh token in its environment",
    load: async () => import("./exec/main.js"),
  },
  sidecar: {
    summary: "keeps a token file alive for containers; [--once | --health]",
    sendsSecrets: true,
    load: async () => import("./sidecar/main.js"),
  },
  broker: {
    summary: "serves tokens over HTTP to many hosts; client add | list | remove | rotate",
    sendsSecrets: true,
    load: async () => import("./broker/main.js"),
  },
  demo: {
    summary: "the whole chain on an embedded GitHub stand-in",
    load: async () => import("./cli/demo.js"),
  },
};

function usage(): string {
  const lines = Object.entries(verbs).map(([name, { summary }]) => `  ghauth ${name.padEnd(8)} ${summary}`);
  return ["usage: ghauth VERB [OPTION]…", "", ...lines, ""].join("\n");
}

async function main([name = "", ...args]: string[]): Promise<number> {
  const verb = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  if (name === "--help" || name === "-h") {
    process.stdout.write(usage());
    return 0;
  }
  if (!verb) {
    process.stderr.write(
      `${usage()}\n${name === "" ? "A verb is missing." : `There is no verb ${JSON.stringify(name)}.`}\n`,
    );
    return 64;
  }
  try {
    if (verb.sendsSecrets && process.env["NODE_DEBUG"]) return await withoutNodeDebug();
    return await (await verb.load()).main(args);
  } catch (thrown) {
    const error = toGhauthError(thrown);
    process.stderr.write(
      redact(`${error.code === "usage" ? `${usage()}\n` : ""}ghauth ${name}: ${error.message}\n`),
    );
    return error.exitCode;
  }
}

/** Node has read NODE_DEBUG at its start, and only another Node goes without it. */
async function withoutNodeDebug(): Promise<number> {
  const { runInPlace } = await import("./exec/run-in-place.js");
  const { NODE_DEBUG: _, ...env } = process.env;
  return runInPlace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
}

// A reader that left (`ghauth status | head -1`) is no failure of ours.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

process.exitCode = await main(process.argv.slice(2));
