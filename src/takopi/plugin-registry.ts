import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join, resolve, sep } from "node:path";
import { errnoOf, messageOf } from "../errors.js";

/** A command backend that an installed package declares: `value` is the module's path as declared, `path` absolute. */
export type PluginEntry = { id: string; packageName: string; value: string; path: string };

/** Why a declared command backend is not served; `message` is Takopi's. */
export type PluginError = { id: string; packageName: string; message: string };

export type PluginList = {
  enabled: PluginEntry[];
  /** Installed, and not on the list of `[plugins] enabled`. */
  disabled: PluginEntry[];
  errors: PluginError[];
  /** Whether `[plugins] enabled` names any package. */
  hasAllowlist: boolean;
};

const idPattern = "^[a-z0-9_]{1,32}$";
const reservedIds = new Set(
  "config doctor init plugins cancel file new agent model reasoning trigger topic ctx".split(" "),
);

/**
 * Lists the command backends of the package at `ownRoot` and of its siblings in the same node_modules, as
 * `"takopi": {"command_backends": {id: path}}` in their package.json declares them; imports none. What is wrong with
 * a declaration becomes an error beside the rest; packages that are not enabled cause none.
 */
export function listPlugins(ownRoot: string, enabledPlugins: readonly string[]): PluginList {
  const allowlist = new Set(enabledPlugins.map((name) => foldName(name)));
  const isEnabled = (name: string) => allowlist.size === 0 || allowlist.has(foldName(name));
  const errors: PluginError[] = [];
  const declared = packageRoots(ownRoot)
    .flatMap((root) => readDeclarations(root, errors))
    .sort((a, b) => compare(a.id, b.id) || compare(a.packageName, b.packageName));

  const valid: PluginEntry[] = [];
  for (const entry of declared.filter(({ packageName }) => isEnabled(packageName))) {
    const message = idError(entry.id);
    if (message) errors.push({ ...entry, message });
    else valid.push(entry);
  }
  const unique = valid.filter((entry) => {
    const holders = valid.filter(({ id }) => id === entry.id).map(({ packageName }) => packageName);
    if (holders.length === 1) return true;
    errors.push({
      ...entry,
      message: `duplicate plugin id '${entry.id}' from ${[...new Set(holders)].join(", ")}`,
    });
    return false;
  });
  const disabled = declared.filter(({ id, packageName }) => !isEnabled(packageName) && idError(id) === null);
  return {
    enabled: unique,
    disabled,
    errors: errors.filter(({ packageName }) => isEnabled(packageName)),
    hasAllowlist: allowlist.size > 0,
  };
}

/** Package names as Takopi compares them: runs of `-`, `_` and `.` count as one `-`, and case does not count. */
function foldName(name: string): string {
  return name
    .trim()
    .replace(/[-_.]+/g, "-")
    .toLowerCase();
}

function idError(id: string): string | null {
  if (!new RegExp(idPattern).test(id)) return `invalid plugin id '${id}'; must match ${idPattern}`;
  if (reservedIds.has(id)) return `reserved plugin id '${id}' is not allowed`;
  return null;
}

function packageRoots(ownRoot: string): string[] {
  const parent = dirname(ownRoot);
  const modules = basename(parent).startsWith("@") ? dirname(parent) : parent;
  if (basename(modules) !== "node_modules") return [ownRoot];
  const siblings = subdirectories(modules).flatMap((name) =>
    name.startsWith("@") ? subdirectories(join(modules, name)).map((inner) => join(name, inner)) : [name],
  );
  return [...new Set([ownRoot, ...siblings.map((name) => join(modules, name))])];
}

function subdirectories(directory: string): string[] {
  return readdirSync(directory).filter((name) => !name.startsWith("."));
}

function readDeclarations(root: string, errors: PluginError[]): PluginEntry[] {
  const manifest = readManifest(root, errors);
  const declared = member(member(manifest, "takopi"), "command_backends");
  const name = member(manifest, "name");
  const packageName = typeof name === "string" && name !== "" ? name : basename(root);
  if (declared === undefined) return [];
  if (typeof declared !== "object" || declared === null || Array.isArray(declared)) {
    errors.push({ id: "?", packageName, message: "takopi.command_backends must be an object of id: path" });
    return [];
  }
  return Object.entries(declared).flatMap(([id, value]: [string, unknown]) => {
    const path = typeof value === "string" ? resolve(root, value) : "";
    if (typeof value === "string" && path.startsWith(root + sep)) return [{ id, packageName, value, path }];
    errors.push({
      id,
      packageName,
      message: "its path must be one inside its package, as in './dist/plugin.js'",
    });
    return [];
  });
}

function readManifest(root: string, errors: PluginError[]): unknown {
  const path = join(root, "package.json");
  if (!existsSync(path)) return undefined;
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    if (errnoOf(error) !== "ENOTDIR")
      errors.push({
        id: "?",
        packageName: basename(root),
        message: `its package.json cannot be read: ${messageOf(error)}`,
      });
    return undefined;
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
