import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { parsePermissions } from "../github/scope.js";
import { takeFileLock } from "../files/file-lock.js";
import { type Environment, expandPath, resolvePaths } from "../system/paths.js";
import { writeFileAtomically } from "../files/atomic-file.js";
import { isClientName, parseClients, parsePattern } from "./clients.js";

type Terminal = { env: Environment; stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream };

const lockTimeoutMs = 10_000;

/**
 * `ghauth broker client add NAME`: prints a new bearer token, once, and writes its hash. Rejects with `usage`, and with
 * `config_invalid` where the name is taken or the file is no good; nothing is changed then.
 */
export async function addClient(args: string[], { env, stdout, stderr }: Terminal): Promise<number> {
  const paths = resolvePaths(env);
  const { name, config, table } = parseAdd(args);
  const path = config === undefined ? paths.brokerConfig : expandPath(config, paths);
  const bearer = `ghauthb_${randomBytes(32).toString("base64url")}`;
  const lockFile = join(dirname(paths.refreshLock), "broker-clients.lock");
  const lock = await takeFileLock(lockFile, {
    timeoutMs: lockTimeoutMs,
    whenHeld: () =>
      new GhauthError(
        "lock_timeout",
        `Another program has held ${lockFile} for ${lockTimeoutMs / 1000} s, so that ${path} was not changed: end it if it hangs, and try again.`,
      ),
  });
  try {
    const old = readText(path);
    if (parseClients(old, path).some((client) => client.name === name)) {
      throw new GhauthError(
        "config_invalid",
        `${path} has a client ${name} already: choose another name, or remove that one.`,
      );
    }
    const sha256 = createHash("sha256").update(bearer).digest("hex");
    const entry = [`[clients.${name}]`, `token_sha256 = "${sha256}"`, ...table, ""].join("\n");
    const separator = old === "" ? "" : old.endsWith("\n") ? "\n" : "\n\n";
    const text = `${old}${separator}${entry}`;
    parseClients(text, path); // a file that has its clients in another form can't be added to
    writeFileAtomically(path, text);
  } finally {
    lock.release();
  }
  stderr.write(
    `Client ${name} is in ${path}. This is its bearer token, which nobody can show again; a running broker reads the file at SIGHUP.\n`,
  );
  stdout.write(`${bearer}\n`);
  return 0;
}

function parseAdd(args: string[]): { name: string; config: string | undefined; table: string[] } {
  const { values, positionals } = parse(args);
  const [action, name, ...rest] = positionals;
  if (action !== "add" || name === undefined || rest.length > 0)
    throw new GhauthError("usage", "Write: ghauth broker client add NAME [OPTION]…");
  if (!isClientName(name))
    throw new GhauthError("usage", "NAME takes letters, digits, - and _, at most 64 of them.");
  const { repository: repositories, permission, workspace: workspaces, admin } = values;
  const bad = repositories.find((text) => !parsePattern(text));
  if (bad !== undefined)
    throw new GhauthError("usage", `--repository takes owner/repo or owner/*, not ${JSON.stringify(bad)}.`);
  const levels = Object.entries(parseLevels(permission)).map(([key, level]) => `${key} = "${level}"`);
  const lists = { repositories, workspaces };
  return {
    name,
    config: values.config,
    table: [
      ...Object.entries(lists).flatMap(([key, list]) =>
        list.length > 0 ? [`${key} = ${tomlList(list)}`] : [],
      ),
      ...(levels.length > 0 ? [`permissions = { ${levels.join(", ")} }`] : []),
      ...(admin ? ["admin = true"] : []),
    ],
  };
}

function parse(args: string[]) {
  const many = { type: "string", multiple: true, default: [] as string[] } as const;
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        config: { type: "string" },
        admin: { type: "boolean", default: false },
        workspace: many,
        repository: many,
        permission: many,
      },
    });
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
}

function parseLevels(permissions: string[]): Record<string, string> {
  // No permissions at all would be all of the App's.
  if (permissions.some((text) => text.trim() === ""))
    throw new GhauthError("usage", "--permission takes name:level, as in contents:read.");
  try {
    return parsePermissions(permissions.join(","), "--permission");
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
}

/** JSON's strings are TOML's, but for a character that no id has. */
function tomlList(items: string[]): string {
  return `[${items.map((item) => JSON.stringify(item)).join(", ")}]`;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "";
    throw new GhauthError("config_invalid", `${path} cannot be read: ${messageOf(error)}.`, { cause: error });
  }
}
