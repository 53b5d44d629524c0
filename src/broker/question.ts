import type { Scope } from "../github/scope.js";
import type { Client } from "./clients.js";
import { decideTarget } from "./policy.js";
import { parseRepository, parseTokenQuery, type Repository } from "./query.js";
import { type Asked, Refusal } from "./refusal.js";
import type { Tokens, Wanted } from "./tokens.js";
import { renderScope, type TokenTarget } from "./token-target.js";

/** One route that serves a token. */
export type TokenRoute = {
  path: string;
  /** The same path where nothing in it is encoded. */
  pattern: RegExp;
  name: string;
  query: readonly string[];
  /** Throws where the client may not use this route; answers the repository that the path names, if it does. */
  enter: (client: Client, param: Param) => Repository | null;
};

type Param = (name: string) => string;

const policyQuery = ["min_ttl", "permissions", "repositories", "refused"];

export const tokenRoutes: TokenRoute[] = [
  {
    path: "/admin/github-installation-token",
    pattern: /^(?<admin>\/admin)\/github-installation-token$/,
    name: "admin",
    query: policyQuery,
    enter: ({ admin }) => {
      if (!admin) throw new Refusal(403, "The policy of this client does not make it an admin.");
      return null;
    },
  },
  {
    path: "/workspaces/:id/github-installation-token",
    pattern: /^\/workspaces\/(?<id>[^/%]+)\/github-installation-token$/,
    name: "workspace",
    query: policyQuery,
    enter: ({ workspaces }, param) => {
      if (workspaces !== "*" && !workspaces.includes(param("id")))
        throw new Refusal(403, "The policy of this client does not allow this workspace.");
      return null;
    },
  },
  {
    path: "/api/:namespace/:repository",
    pattern: /^\/api\/(?<namespace>[^/%]+)\/(?<repository>[^/%]+)$/,
    name: "repository",
    query: ["min_ttl", "permissions", "refused"],
    enter: (_, param) => {
      const repository = parseRepository(`${param("namespace")}/${param("repository")}`);
      if (!repository) throw new Refusal(400, "The path must end in an owner and a repository.");
      return repository;
    },
  },
];

/** What a client's request comes to, before anybody is asked for a token. */
export type Question = {
  route: string;
  tokens: Tokens;
  target: TokenTarget;
  /** The target's scope, for the log. */
  scope: string;
  wanted: Wanted;
  /** What tokman's route names in its answer; null on the others. */
  repository: Repository | null;
  /** What a refusal of it may speak of. */
  asked: Asked;
};

export type QuestionDeps = {
  /** The tokens, or why there cannot be any, in the words of the 404. */
  tokens: Tokens | "no GitHub App configured" | "no token provider registered";
  app: Scope;
};

/** Throws a Refusal where the client must not ask this. */
export function readQuestion(
  { tokens, app }: QuestionDeps,
  route: TokenRoute,
  { client, url, param }: { client: Client; url: string; param: Param },
): Question {
  const repository = route.enter(client, param);
  const query = parseTokenQuery(url, route.query);
  if (typeof tokens === "string") throw new Refusal(404, tokens);
  const repositories = repository ? [repository] : query.repositories;
  const target = decideTarget(client, { ...query, repositories }, app);
  return {
    route: route.name,
    tokens,
    target,
    scope: renderScope(target.scope),
    wanted: query,
    repository,
    asked: {
      repository: repository && `${repository.owner}/${repository.name}`,
      repositories: query.repositories !== null,
      permissions: query.permissions !== null,
    },
  };
}
