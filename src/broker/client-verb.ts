import { createHash, randomBytes } from "node:crypto";
import { GhauthError } from "../errors.js";
import { expandPath, resolvePaths } from "../system/paths.js";
import { type Change, changeClients } from "./change-clients.js";
import { type PolicyOptions, renderPolicy, renderTable } from "./render-client-policy.js";
import { appendTable, removeTable, replaceHash } from "./edit-client-tables.js";
import { isClientName, parseClients, readClients } from "./clients-file.js";

const { env, stdout, stderr } = process;
const reload = "systemctl --user reload takopi-ghauth-broker, or SIGHUP";

type Config = { config?: string };

// `ghauth broker client …`: who may ask the broker, as broker.toml names them. Each verb resolves with 0, and rejects with
// `usage`, or with `config_invalid` where a name or the file is no good; nothing is changed then.

/** Prints a new bearer token, once, and writes its hash. */
export async function add(
  { config, ...policy }: Config & PolicyOptions,
  [name = ""]: string[],
): Promise<number> {
  if (!isClientName(name))
    throw new GhauthError("usage", "NAME takes letters, digits, - and _, at most 64 of them.");
  const { bearer, sha256 } = createBearer();
  // The hash comes last: a table that was cut short then lacks it, and is refused.
  const table = [...renderTable(policy), `token_sha256 = "${sha256}"`];
  const path = await change(config, (text, clients, file) => {
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
  return 0;
}

/** Prints names and policies; of a hash no more than the log has. */
export async function list({ config }: Config): Promise<number> {
  const path = resolveConfig(config);
  const clients = readClients(path) ?? [];
  if (clients.length === 0) stderr.write(`There are no clients in ${path}.\n`);
  const width = Math.max(...clients.map(({ name }) => name.length));
  for (const client of clients) {
    const fingerprint = client.tokenSha256.toString("hex").slice(0, 8);
    stdout.write(`${client.name.padEnd(width)}  ${renderPolicy(client)}; sha256: ${fingerprint}\n`);
  }
  return 0;
}

/** The client's tokens live on. */
export async function remove({ config }: Config, [name = ""]: string[]): Promise<number> {
  const path = await change(config, (text, clients, file) => {
    requireClient(name, clients, file);
    return { text: removeTable(text, name), clients: clients.filter((client) => client.name !== name) };
  });
  stderr.write(
    `Client ${name} is no longer in ${path}. A running broker lets it in until it has read the file (${reload}); a token that it got lives on for up to an hour.\n`,
  );
  return 0;
}

/** Prints another bearer token, once, in place of the old one. */
export async function rotate({ config }: Config, [name = ""]: string[]): Promise<number> {
  const { bearer, sha256 } = createBearer();
  const path = await change(config, (text, clients, file) => {
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
  return 0;
}

function createBearer(): { bearer: string; sha256: string } {
  const bearer = `ghauthb_${randomBytes(32).toString("base64url")}`;
  return { bearer, sha256: createHash("sha256").update(bearer).digest("hex") };
}

type Clients = ReturnType<Change>["clients"];
type ChangeIn = (text: string, clients: Clients, path: string) => ReturnType<Change>;

/** Changes broker.toml, the usual one or the one that --config names; resolves with its path. */
async function change(file: string | undefined, make: ChangeIn): Promise<string> {
  const path = resolveConfig(file);
  await changeClients(path, resolvePaths(env), (text, clients) => make(text, clients, path));
  return path;
}

function resolveConfig(file: string | undefined): string {
  const paths = resolvePaths(env);
  return file === undefined ? paths.brokerConfig : expandPath(file, paths);
}

function requireClient(name: string, clients: Clients, path: string): void {
  if (clients.some((client) => client.name === name)) return;
  const known = clients.map((client) => client.name).join(", ") || "none";
  throw new GhauthError("config_invalid", `${path} has no client ${JSON.stringify(name)}; it has: ${known}.`);
}
