import { hash, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { parsePermissions } from "../github/scope.js";
import { shellWord } from "../files/shell-word.js";
import { isTable, parseToml, type TomlTable } from "../files/toml.js";

/** `owner/repo`, or with a null repository `owner/*`. */
export type RepositoryPattern = { owner: string; repository: string | null };

/** A client and its policy; null is no limit of its own. */
export type Client = {
  name: string;
  repositories: RepositoryPattern[] | null;
  permissions: Record<string, string> | null;
  /** `*` is every workspace. */
  workspaces: string[] | "*";
  admin: boolean;
};

type KnownClient = Client & { tokenSha256: Buffer };

/** Who asks, by the Authorization header; undefined for everybody else. */
export type Authenticate = (authorization: string | undefined) => Client | undefined;

/** Who everybody is under --insecure-no-auth. */
const anonymous: Client = {
  name: "anonymous",
  repositories: null,
  permissions: null,
  workspaces: "*",
  admin: true,
};

export const authenticateNobody: Authenticate = () => anonymous;

/** All hashes are compared, in constant time, so that an answer's time tells nothing about any of them. */
export function createAuthenticate(clients: KnownClient[]): Authenticate {
  return (authorization) => {
    const bearer = /^bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1] ?? "";
    const digest = hash("sha256", bearer, "buffer");
    let found: Client | undefined;
    for (const client of clients) if (timingSafeEqual(client.tokenSha256, digest)) found = client;
    return bearer === "" ? undefined : found;
  };
}

/** Reads broker.toml; none is no clients. Rejects with `config_invalid`, naming file, key and what was expected. */
export function readClients(path: string): KnownClient[] {
  try {
    if ((statSync(path).mode & 0o022) !== 0)
      throw invalid(
        path,
        `can be written by others, who could let themselves in: run chmod 600 ${shellWord(path)}`,
      );
    return parseClients(readFileSync(path, "utf8"), path);
  } catch (error) {
    if (error instanceof GhauthError) throw error;
    if (errnoOf(error) === "ENOENT") return [];
    throw new GhauthError("config_invalid", `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}

export function parseClients(text: string, path: string): KnownClient[] {
  const root = parseToml(text, path);
  const unknown = Object.keys(root).find((key) => key !== "clients");
  if (unknown !== undefined)
    throw invalid(path, `holds ${unknown}, which is no setting: write [clients.NAME]`);
  const clients = Object.entries(tableOf(root["clients"] ?? {}, `${path}: clients`)).map(([name, value]) =>
    parseClient(name, tableOf(value, `${path}: clients.${name}`), path),
  );
  const hashes = clients.map(({ tokenSha256 }) => tokenSha256.toString("hex"));
  const twice = clients.find((_, index) => hashes.indexOf(hashes[index] ?? "") !== index);
  if (twice) throw invalid(path, `gives clients.${twice.name} another client's token_sha256`);
  return clients;
}

const clientName = /^[A-Za-z0-9_-]{1,64}$/;
const clientKeys = ["token_sha256", "repositories", "permissions", "workspaces", "admin"];

export function isClientName(name: string): boolean {
  return clientName.test(name);
}

function parseClient(name: string, table: TomlTable, path: string): KnownClient {
  const refuse = (key: string, expected: string) =>
    invalid(path, `clients.${name}.${key} must be ${expected}`);
  if (!isClientName(name)) {
    throw invalid(
      path,
      `names a client ${JSON.stringify(name)}: use letters, digits, - and _, at most 64 of them`,
    );
  }
  const unknown = Object.keys(table).find((key) => !clientKeys.includes(key));
  if (unknown !== undefined) throw refuse(unknown, `left out, for the settings are ${clientKeys.join(", ")}`);
  const { token_sha256: sha256, repositories, permissions, workspaces = [], admin = false } = table;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256))
    throw refuse("token_sha256", "the SHA-256 of its bearer token, in 64 lower-case hex digits");
  if (typeof admin !== "boolean") throw refuse("admin", "true or false");
  if (!isStrings(workspaces)) throw refuse("workspaces", 'a list of workspace ids, as in ["site"]');
  return {
    name,
    tokenSha256: Buffer.from(sha256, "hex"),
    repositories: parsePatterns(repositories, (expected) => refuse("repositories", expected)),
    permissions: parseLevels(permissions, (expected) => refuse("permissions", expected)),
    workspaces,
    admin,
  };
}

type Refuse = (expected: string) => GhauthError;

function parsePatterns(value: unknown, refuse: Refuse): RepositoryPattern[] | null {
  if (value === undefined) return null;
  if (!isStrings(value)) throw refuse('a list, as in ["owner/repo", "owner/*"]');
  return value.map((text) => {
    const pattern = parsePattern(text);
    if (!pattern) throw refuse(`made of owner/repo and owner/*, and not ${JSON.stringify(text)}`);
    return pattern;
  });
}

/** A pattern from its text, or null. */
export function parsePattern(text: string): RepositoryPattern | null {
  const [, owner, repository] =
    /^([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)\/([A-Za-z0-9._-]+|\*)$/.exec(text) ?? [];
  if (owner === undefined || repository === undefined || /^\.{1,2}$/.test(repository)) return null;
  return { owner, repository: repository === "*" ? null : repository };
}

function parseLevels(value: unknown, refuse: Refuse): Record<string, string> | null {
  if (value === undefined) return null;
  const expected = 'a table of levels, as in { contents = "read" }';
  if (!isTable(value)) throw refuse(expected);
  const levels = Object.entries(value);
  if (levels.length === 0) throw refuse(`${expected}; left out, they are the App's`);
  try {
    return parsePermissions(
      levels.map(([name, level]) => `${name}:${String(level)}`).join(","),
      "permissions",
    );
  } catch (error) {
    throw refuse(`${expected} (${messageOf(error)})`);
  }
}

function tableOf(value: unknown, what: string): TomlTable {
  if (isTable(value)) return value;
  throw new GhauthError("config_invalid", `${what} must be a table.`);
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
}

function invalid(path: string, complaint: string): GhauthError {
  return new GhauthError("config_invalid", `${path} ${complaint}.`);
}
