import { createHash, randomBytes } from "node:crypto";
import { parseArgs, type ParseArgsConfig } from "node:util";
import { GhauthError, messageOf } from "../errors.js";
import { type Environment, expandPath, resolvePaths } from "../system/paths.js";
import { type Change, changeClients } from "./change-clients.js";
import { policyOptions, renderPolicy, renderTable } from "./client-policy.js";
import { appendTable, removeTable, replaceHash } from "./client-tables.js";
import { isClientName, parseClients, readClients } from "./clients-file.js";

type Terminal = { env: Environment; stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream };
type Action = (args: string[], terminal: Terminal) => Promise<void>;

const actions = new Map<string, Action>([
  ["add", add],
  ["list", list],
  ["remove", remove],
  ["rotate", rotate],
]);

const reload = "systemctl --user reload takopi-ghauth-broker, or SIGHUP";

/**
 * `ghauth broker client`: who may ask the broker, as broker.toml names them. Rejects with `usage`, and with
 * `config_invalid` where a name or the file is no good; nothing is changed then.
 */
export async function main([word = "", ...args]: string[], terminal: Terminal): Promise<number> {
  const action = actions.get(word);
  if (!action)
    throw new GhauthError(
      "usage",
      "Write: ghauth broker client add NAME | list | remove NAME | rotate NAME.",
    );
  await action(args, terminal);
  return 0;
}

/** Prints a new bearer token, once, and writes its hash. */
async function add(args: string[], { env, stdout, stderr }: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { config, ...policyOptions });
  const name = parseName(positionals, "add NAME [OPTION]…");
  if (!isClientName(name))
    throw new GhauthError("usage", "NAME takes letters, digits, - and _, at most 64 of them.");
  const { bearer, sha256 } = createBearer();
  // The hash comes last: a table that was cut short then lacks it, and is refused.
  const table = [...renderTable(values), `token_sha256 = "${sha256}"`];
  const path = await change(values.config, env, (text, clients, file) => {
    if (clients.some((client) => client.name === name)) {
      throw new GhauthError(
        "config_invalid",
        `${file} has a client ${name} already: choose another name, remove that one, or give it a new token by rotate.`,
      );
    }
    const added = parseClients(appendTable("", name, table), file) ?? [];
    return { text: appendTable(text, name, table), clients: [...clients, ...added] };
  });
  stderr.write(
    `Client ${name} is in ${path}. This is its bearer token, which nobody can show again; a running broker must read the file: ${reload}.\n`,
  );
  stdout.write(`${bearer}\n`);
}

/** Prints names and policies; of a hash no more than the log has. */
async function list(args: string[], { env, stdout, stderr }: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { config });
  if (positionals.length > 0) throw misused("list");
  const path = resolveConfig(values.config, env);
  const clients = readClients(path) ?? [];
  if (clients.length === 0) stderr.write(`There are no clients in ${path}.\n`);
  const width = Math.max(...clients.map(({ name }) => name.length));
  for (const client of clients) {
    const fingerprint = client.tokenSha256.toString("hex").slice(0, 8);
    stdout.write(`${client.name.padEnd(width)}  ${renderPolicy(client)}; sha256: ${fingerprint}\n`);
  }
}

async function remove(args: string[], { env, stderr }: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { config });
  const name = parseName(positionals, "remove NAME");
  const path = await change(values.config, env, (text, clients, file) => {
    requireClient(name, clients, file);
    return { text: removeTable(text, name), clients: clients.filter((client) => client.name !== name) };
  });
  stderr.write(
    `Client ${name} is no longer in ${path}. A running broker lets it in until it has read the file (${reload}); a token that it got lives on for up to an hour.\n`,
  );
}

/** Prints another bearer token, once, in place of the old one. */
async function rotate(args: string[], { env, stdout, stderr }: Terminal): Promise<void> {
  const { values, positionals } = parse(args, { config });
  const name = parseName(positionals, "rotate NAME");
  const { bearer, sha256 } = createBearer();
  const path = await change(values.config, env, (text, clients, file) => {
    requireClient(name, clients, file);
    const tokenSha256 = Buffer.from(sha256, "hex");
    return {
      text: replaceHash(text, name, sha256),
      clients: clients.map((client) => (client.name === name ? { ...client, tokenSha256 } : client)),
    };
  });
  stderr.write(
    `Client ${name} has a new bearer token in ${path}. This is it, and nobody can show it again; the old one is good until a running broker has read the file: ${reload}.\n`,
  );
  stdout.write(`${bearer}\n`);
}

const config = { type: "string" } as const;

function parse<T extends NonNullable<ParseArgsConfig["options"]>>(args: string[], options: T) {
  try {
    return parseArgs({ args, allowPositionals: true, options });
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
}

function parseName([name, ...rest]: string[], usage: string): string {
  if (name === undefined || rest.length > 0) throw misused(usage);
  return name;
}

function misused(usage: string): GhauthError {
  return new GhauthError("usage", `Write: ghauth broker client ${usage}`);
}

function createBearer(): { bearer: string; sha256: string } {
  const bearer = `ghauthb_${randomBytes(32).toString("base64url")}`;
  return { bearer, sha256: createHash("sha256").update(bearer).digest("hex") };
}

type Clients = ReturnType<Change>["clients"];
type ChangeIn = (text: string, clients: Clients, path: string) => ReturnType<Change>;

/** Changes broker.toml, the usual one or the one that --config names; resolves with its path. */
async function change(file: string | undefined, env: Environment, make: ChangeIn): Promise<string> {
  const path = resolveConfig(file, env);
  await changeClients(path, resolvePaths(env), (text, clients) => make(text, clients, path));
  return path;
}

function resolveConfig(file: string | undefined, env: Environment): string {
  const paths = resolvePaths(env);
  return file === undefined ? paths.brokerConfig : expandPath(file, paths);
}

function requireClient(name: string, clients: Clients, path: string): void {
  if (clients.some((client) => client.name === name)) return;
  const known = clients.map((client) => client.name).join(", ") || "none";
  throw new GhauthError("config_invalid", `${path} has no client ${JSON.stringify(name)}; it has: ${known}.`);
}
