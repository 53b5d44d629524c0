import { exceeds } from "../github/permission-levels.js";
import { distinctNames, isSameName } from "../token/same-name.js";
import type { Scope } from "../github/scope.js";
import type { Client } from "./clients.js";
import type { Repository, TokenQuery } from "./query.js";
import { Refusal } from "./refusal.js";
import type { RepositoryPattern } from "./repository-pattern.js";
import type { TokenTarget } from "./token-target.js";

/**
 * What a client gets for its question: what it asked for, or its whole policy. `app` is what GITHUB_APP_REPOSITORIES
 * and GITHUB_APP_PERMISSIONS say, which holds where a policy says nothing. Throws a Refusal: 403 for more than
 * the policy allows, 400 where it must be asked by name.
 */
export function decideTarget(
  client: Client,
  { repositories, permissions }: Pick<TokenQuery, "repositories" | "permissions">,
  app: Scope,
): TokenTarget {
  const limit = client.permissions ?? app.permissions;
  if (permissions) requirePermissions(permissions, limit);
  const scoped = repositories
    ? decideNamed(client, repositories, app)
    : decideWhole(client.repositories, client.admin, app);
  return { ...scoped, scope: { ...scoped.scope, permissions: permissions ?? limit } };
}

/** No limit, an empty one, is the App's own, which GitHub holds. */
function requirePermissions(asked: Record<string, string>, limit: Record<string, string>): void {
  if (Object.keys(limit).length === 0) return;
  for (const [name, level] of Object.entries(asked)) {
    const most = Object.hasOwn(limit, name) ? limit[name] : undefined;
    if (exceeds(level, most))
      throw new Refusal(403, `The policy of this client does not allow ${name}:${level}.`);
  }
}

function decideNamed(
  { repositories: patterns, admin }: Client,
  asked: Repository[],
  app: Scope,
): TokenTarget {
  const [first] = asked;
  if (!first || asked.some(({ owner }) => !isSameName(owner, first.owner)))
    throw new Refusal(400, "A token reaches the repositories of one owner: ask for those of one.");
  const allowed = patterns ?? (admin ? patternsOf(app) : []);
  const denied = allowed && asked.find((repository) => !allowed.some((one) => isIn(repository, one)));
  if (denied) {
    throw new Refusal(403, `The policy of this client does not allow ${denied.owner}/${denied.name}.`);
  }
  const names = asked.map(({ name }) => name);
  return {
    scope: {
      owner: first.owner,
      repositories: distinctNames(names),
      permissions: {},
    },
    // Where no owner is named, an admin's policy is the configured installation, and no other.
    installation: patterns === null && app.owner === null ? "configured_or_denied" : "looked_up",
  };
}

/** GITHUB_APP_REPOSITORIES as patterns; null where they are the whole installation. Names without an owner are anybody's. */
function patternsOf({ owner, repositories }: Scope): RepositoryPattern[] | null {
  if (repositories.length === 0) return null;
  return repositories.map((repository) => ({ owner: owner ?? "*", repository }));
}

function decideWhole(patterns: RepositoryPattern[] | null, admin: boolean, app: Scope): TokenTarget {
  if (patterns === null && admin) return { scope: app, installation: "configured" };
  const [first] = patterns ?? [];
  if (!patterns || !first) throw new Refusal(403, "The policy of this client allows no repositories.");
  if (patterns.some(({ owner }) => !isSameName(owner, first.owner)))
    throw new Refusal(400, "The policy of this client names several owners: ask for repositories by name.");
  const names = patterns.flatMap(({ repository }) => repository ?? []);
  const isWhole = names.length < patterns.length;
  return {
    scope: { owner: first.owner, repositories: isWhole ? [] : names, permissions: {} },
    installation: "looked_up",
  };
}

function isIn({ owner, name }: Repository, pattern: RepositoryPattern): boolean {
  return (
    (pattern.owner === "*" || isSameName(owner, pattern.owner)) &&
    (pattern.repository === null || isSameName(name, pattern.repository))
  );
}
