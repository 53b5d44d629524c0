import { createHash } from "node:crypto";
import { request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { once } from "node:events";
import type { GitHubStandInOptions } from "../../src/stand-in/github-stand-in.js";
import { app, createMachine, executables, expectNoSecret, installation, type Machine } from "./machine.js";
import { startProgram } from "./live-program.js";

export const bearerOf = (name: string) => `test-bearer-of-${name}`;

export type BrokerAnswer = { status: number; headers: IncomingHttpHeaders; text: string; json: unknown };
export type BrokerCall = {
  /** Whose bearer token goes along; null sends none. */
  as?: string | null;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
};

export type BrokerLine = Record<string, unknown> & { event: string; level: string };

/** Two owners, so that a policy can name several. */
export const world: Partial<GitHubStandInOptions> = {
  installations: [
    installation,
    {
      id: 55_555,
      appId: app.id,
      account: { login: "umbrella", type: "Organization" },
      repositories: ["lab"],
    },
  ],
};

/** A key host. `await using` ends it and its brokers. */
export async function createKeyHost(github: Partial<GitHubStandInOptions> = world) {
  const machine = await createMachine(github);
  const brokers: Broker[] = [];
  const config = join(machine.home, ".config/takopi/broker.toml");
  const dispose = machine[Symbol.asyncDispose];
  return Object.assign(machine, {
    brokerConfig: config,
    /** Writes broker.toml: a table's lines for each client's name. */
    letIn: (clients: Record<string, string>) =>
      machine.write(
        config,
        Object.entries(clients)
          .map(([name, lines]) => {
            const sha256 = createHash("sha256").update(bearerOf(name)).digest("hex");
            return `[clients.${name}]\n${lines}\ntoken_sha256 = "${sha256}"\n`;
          })
          .join("\n"),
      ),
    /** Changes github-app.env: undefined removes a setting. */
    set: (changes: Record<string, string | undefined>) => {
      const lines = machine.read(machine.paths.appEnvFile).trim().split("\n");
      const kept = lines.filter((line) => !Object.hasOwn(changes, line.split("=")[0] ?? ""));
      const added = Object.entries(changes).flatMap(([name, value]) => (value ? [`${name}=${value}`] : []));
      machine.write(machine.paths.appEnvFile, `${[...kept, ...added].join("\n")}\n`);
    },
    /** Starts the built `ghauth broker` and waits until it listens. */
    startBroker: async (args: string[] = [], env: Record<string, string> = {}) => {
      const broker = await startBroker(machine, args, env);
      brokers.push(broker);
      return broker;
    },
    [Symbol.asyncDispose]: async () => {
      const tokens = machine.github.liveTokens;
      for (const broker of brokers) {
        await broker[Symbol.asyncDispose]();
        expectNoSecret(broker.output(), tokens);
      }
      await dispose();
    },
  });
}

export type KeyHost = Awaited<ReturnType<typeof createKeyHost>>;

async function startBroker(machine: Machine, args: string[], env: Record<string, string>) {
  const listen = args.includes("--listen") ? [] : ["--listen", "127.0.0.1:0"];
  const program = startProgram([process.execPath, executables.ghauth, "broker", ...listen, ...args], {
    env: { ...machine.env, ...env },
    cwd: machine.root,
  });
  await program.saw('"event":"broker.listening"');
  await program.saw("}\n");
  const address = /"address":"([^"]+)"/.exec(program.output())?.[1] ?? "";
  const call = async (path: string, options: BrokerCall = {}) => callBroker(address, path, options);
  return Object.assign(program, {
    address,
    url: `http://${address}`,
    call,
    /** The token that a call got; a failure of the test where it got none. */
    token: async (path: string, as: string): Promise<string> => {
      const { status, json, text: body } = await call(path, { as });
      const token = isRecord(json) ? (json["token"] ?? json["access_token"]) : undefined;
      if (status !== 200 || typeof token !== "string") throw new Error(`no token: ${status} ${body}`);
      return token;
    },
    /** The log's line of the answer that came after the last one looked at; it is written beside the work. */
    tokenLine: async (): Promise<BrokerLine | undefined> => {
      await program.saw('"route":');
      await program.saw("}\n");
      return readLines(program.output()).findLast(({ event }) => /^token\.(served|refused)$/.test(event));
    },
    stop: async () => {
      program.send("SIGTERM");
      return program.exitCode();
    },
  });
}

export type Broker = Awaited<ReturnType<typeof startBroker>>;

async function callBroker(
  address: string,
  path: string,
  { as = null, method = "GET", headers = {}, body }: BrokerCall,
): Promise<BrokerAnswer> {
  const where = address.startsWith("unix:")
    ? { socketPath: address.slice("unix:".length) }
    : { host: address.split(":")[0], port: address.split(":").at(-1) };
  const authorization = as === null ? {} : { authorization: `Bearer ${bearerOf(as)}` };
  const outgoing = httpRequest({ ...where, method, path, headers: { ...authorization, ...headers } });
  outgoing.end(body);
  const [incoming] = await once(outgoing, "response");
  const answered = await text(incoming);
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    text: answered,
    json: parseJson(answered),
  };
}

function readLines(output: string): BrokerLine[] {
  return output
    .split("\n")
    .slice(0, -1)
    .flatMap((line) => (line.startsWith("{") ? [JSON.parse(line)] : []));
}

function parseJson(answered: string): unknown {
  try {
    return JSON.parse(answered);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** Sends bytes as they are, and answers all that comes back until the broker ends the connection. */
export async function sendRaw({ address }: Broker, bytes: string): Promise<string> {
  const [host, port] = address.split(":");
  const socket = connect({ host: host ?? "", port: Number(port) });
  socket.on("error", () => {}); // it may be cut while we write
  socket.write(bytes);
  return text(socket).catch(() => "");
}
