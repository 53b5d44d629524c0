import * as z from "zod";
import { GhauthError, messageOf } from "../errors.js";
import { checkTable } from "../files/checked-table.js";
import { readIfThere } from "../files/regular-file.js";
import { shellWord } from "../files/shell-word.js";
import { parseToml } from "../files/toml.js";
import { parsePermissions } from "../github/scope.js";
import type { KnownClient } from "./clients.js";
import { parsePattern } from "./repository-pattern.js";

const list = (example: string) => `a list, as in ${example}`;
const patterns = list('["owner/repo", "owner/*"]');
const ids = list('["site"]');
const levels = 'a table of levels, as in { contents = "read" }';
const sha256 = "the SHA-256 of its bearer token, in 64 lower-case hex digits";

const pattern = z.string(patterns).transform((text, context) => {
  const parsed = parsePattern(text);
  if (parsed) return parsed;
  context.addIssue(`owner/repo or owner/*, and not ${JSON.stringify(text)}`);
  return z.NEVER;
});

/** Empty it would read as nothing, and would be all that the App has. */
const permissions = z.record(z.string(), z.string(levels), levels).transform((table, context) => {
  const items = Object.entries(table).map(([name, level]) => `${name}:${level}`);
  try {
    if (items.length > 0) return parsePermissions(items.join(","), "permissions");
    context.addIssue(`${levels}; left out, they are the App's`);
  } catch (error) {
    context.addIssue(`${levels} (${messageOf(error)})`);
  }
  return z.NEVER;
});

const clientTable = z.strictObject({
  repositories: z.array(pattern, patterns).optional(),
  permissions: permissions.optional(),
  workspaces: z.array(z.string(ids).min(1, ids), ids).default([]),
  admin: z.boolean("true or false").default(false),
  // The last, as `ghauth broker client add` writes it: a table that was cut short then lacks it, and is refused.
  token_sha256: z.string(sha256).regex(/^[0-9a-f]{64}$/, sha256),
});

const wholeFile = z.strictObject({
  clients: z.record(z.string(), z.unknown(), "a table").optional(),
});

const clientName = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a client may have this name. */
export function isClientName(name: string): boolean {
  return clientName.test(name);
}

/**
 * The clients of broker.toml; null where it names none at all, as a file that is missing or was emptied. Throws
 * `config_invalid`, naming file, key and what was expected.
 */
export function readClients(path: string): KnownClient[] | null {
  const text = readClientsText(path);
  return text === null ? null : parseClients(text, path);
}

/** The text of broker.toml; null where there is no such file. Throws `config_invalid`. */
export function readClientsText(path: string): string | null {
  try {
    const file = readIfThere(path);
    if (file === null) return null;
    if ((file.stats.mode & 0o022) === 0) return file.text;
  } catch (error) {
    throw new GhauthError("config_invalid", `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
  throw invalid(
    path,
    `can be written by others, who could let themselves in: see that its clients are yours, and run chmod 600 ${shellWord(path)}`,
  );
}

/** The clients that the text of broker.toml names; `path` is for sentences. Null and throws as readClients does. */
export function parseClients(text: string, path: string): KnownClient[] | null {
  const { clients: tables } = checkTable(wholeFile, parseToml(text, path), { path, key: "" });
  if (tables === undefined) return null;
  const clients = Object.entries(tables).map(([name, table]) => parseClient(name, table, path));
  const hashes = clients.map(({ tokenSha256 }) => tokenSha256.toString("hex"));
  const twice = clients.find((_, index) => hashes.indexOf(hashes[index] ?? "") !== index);
  if (twice) throw invalid(path, `gives clients.${twice.name} another client's token_sha256`);
  return clients;
}

function parseClient(name: string, value: unknown, path: string): KnownClient {
  if (!isClientName(name)) {
    throw invalid(
      path,
      `names a client ${JSON.stringify(name)}: use letters, digits, - and _, at most 64 of them`,
    );
  }
  const table = checkTable(clientTable, value, { path, key: `clients.${name}` });
  return {
    name,
    tokenSha256: Buffer.from(table.token_sha256, "hex"),
    repositories: table.repositories ?? null,
    permissions: table.permissions ?? null,
    workspaces: table.workspaces,
    admin: table.admin,
  };
}

function invalid(path: string, complaint: string): GhauthError {
  return new GhauthError("config_invalid", `${path} ${complaint}.`);
}
