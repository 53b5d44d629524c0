import { GhauthError } from "../errors.js";
import { parseRepositoryName, type RepositoryName } from "../token/repository-name.js";
import { permissionLevels } from "./permission-levels.js";
import { distinctNames } from "../token/same-name.js";

/** What a token may reach: repository names of one `owner` (null: whoever owns the installation), all of them if empty; permissions as GitHub spells them. */
export type Scope = {
  owner: string | null;
  repositories: string[];
  permissions: Record<string, string>;
};

/** How many a token can name: https://docs.github.com/rest/apps/apps#create-an-installation-access-token-for-an-app */
export const mostRepositories = 500;

/**
 * Repositories of one owner from names, `owner/repo` and clone URLs (https, ssh, git, scp-like; with or without
 * `.git`), separated by spaces or commas. Throws `config_invalid`.
 */
export function parseRepositories(text: string, key: string): Pick<Scope, "owner" | "repositories"> {
  const parsed = itemsOf(text, key).map((item) => parseRepository(item, key));
  const owners = distinctNames(parsed.flatMap(({ owner }) => owner ?? []));
  if (owners.length > 1) {
    throw new GhauthError(
      "config_invalid",
      `${key} names repositories of several owners (${owners.join(", ")}), and an installation token reaches one owner's only: name one owner's repositories.`,
    );
  }
  const repositories = distinctNames(parsed.map(({ name }) => name));
  if (repositories.length > mostRepositories) {
    throw new GhauthError(
      "config_invalid",
      `${key} names ${repositories.length} repositories, and GitHub scopes a token to ${mostRepositories} at most: leave it empty for all that the installation reaches.`,
    );
  }
  return { owner: owners[0] ?? null, repositories };
}

/** The items of a list; a comma alone is a mistake, and must not come to no limit at all. */
function itemsOf(text: string, key: string): string[] {
  const items = text.split(/[\s,]+/).filter(Boolean);
  if (items.length > 0 || text.trim() === "") return items;
  throw new GhauthError(
    "config_invalid",
    `${key}: ${JSON.stringify(text)} names nothing: name something, or leave it empty.`,
  );
}

function parseRepository(item: string, key: string): RepositoryName {
  const repository = parseRepositoryName(item);
  if (repository) return repository;
  throw new GhauthError(
    "config_invalid",
    `${key}: ${JSON.stringify(withoutCredentials(item))} is no repository; write owner/repo or a clone URL.`,
  );
}

function withoutCredentials(url: string): string {
  return url.replace(/\/\/[^/@]*@/, "//");
}

/** Permissions from `contents:read,issues:write`. Throws `config_invalid`, a hyphenated name with GitHub's spelling. */
export function parsePermissions(text: string, key: string): Record<string, string> {
  const permissions = new Map<string, string>();
  for (const item of itemsOf(text, key)) {
    const match = /^([a-z][a-z0-9_-]*)[:=]([a-z]+)$/.exec(item);
    const [, name, level = ""] = match ?? [];
    if (name === undefined || !permissionLevels.includes(level)) {
      throw new GhauthError(
        "config_invalid",
        `${key}: ${JSON.stringify(item)} is no permission; write name:read, name:write or name:admin, as in contents:read,issues:write.`,
      );
    }
    if (name.includes("-")) {
      throw new GhauthError(
        "config_invalid",
        `${key}: GitHub spells ${name} with underscores: write ${name.replaceAll("-", "_")}:${level}.`,
      );
    }
    const other = permissions.get(name) ?? level;
    if (other !== level) {
      throw new GhauthError(
        "config_invalid",
        `${key} names ${name} twice, as ${other} and ${level}: keep one.`,
      );
    }
    permissions.set(name, level);
  }
  return Object.fromEntries(permissions);
}
