import { GhauthError, messageOf } from "../errors.js";
import { parsePermissions } from "../github/scope.js";
import type { Client } from "./clients.js";
import { parsePattern, renderPattern } from "./repository-pattern.js";

/** The options of `client add` that make its policy. */
export type PolicyOptions = {
  admin?: true;
  workspace?: string[];
  repository?: string[];
  permission?: string[];
};

/** The lines of broker.toml that a policy comes to. Throws `usage`. */
export function renderTable({
  admin,
  workspace = [],
  repository = [],
  permission = [],
}: PolicyOptions): string[] {
  const bad = repository.find((text) => !parsePattern(text));
  if (bad !== undefined)
    throw new GhauthError("usage", `--repository takes owner/repo or owner/*, not ${JSON.stringify(bad)}.`);
  const levels = Object.entries(parseLevels(permission)).map(([name, level]) => `${name} = "${level}"`);
  return [
    ...(repository.length > 0 ? [`repositories = ${tomlList(repository)}`] : []),
    ...(workspace.length > 0 ? [`workspaces = ${tomlList(workspace)}`] : []),
    ...(levels.length > 0 ? [`permissions = { ${levels.join(", ")} }`] : []),
    ...(admin ? ["admin = true"] : []),
  ];
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

/** A client's policy as people read it, on one line. */
export function renderPolicy({ admin, workspaces, repositories, permissions }: Client): string {
  const levels = permissions && Object.entries(permissions).map(([name, level]) => `${name}:${level}`);
  const unlimited = admin ? "the App's" : "none";
  return [
    ...(admin ? ["admin"] : []),
    `workspaces: ${workspaces === "*" ? "all" : renderList(workspaces)}`,
    `repositories: ${repositories === null ? unlimited : renderList(repositories.map(renderPattern))}`,
    `permissions: ${levels === null ? "the App's" : renderList(levels)}`,
  ].join("; ");
}

function renderList(items: readonly string[]): string {
  const words = items.map((item) => (/^[\w.:/*-]+$/.test(item) ? item : JSON.stringify(item)));
  return words.join(", ") || "none";
}
