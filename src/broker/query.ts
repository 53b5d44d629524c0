import { GhauthError } from "../errors.js";
import { mostRepositories, parsePermissions } from "../github/scope.js";
import { parsePattern } from "./repository-pattern.js";
import { Refusal } from "./refusal.js";

export type Repository = { owner: string; name: string };

/** What a request asks for; null is what it did not say. */
export type TokenQuery = {
  minTtlMs: number;
  repositories: Repository[] | null;
  permissions: Record<string, string> | null;
  /** The first 16 hex digits of the SHA-256 of a token that GitHub refused. */
  refused: string | null;
};

const longestMinTtlSeconds = 3300;

/** Parses the query of a request; `names` are those that its route knows. Throws a Refusal, 400. */
export function parseTokenQuery(url: string, names: readonly string[]): TokenQuery {
  const at = url.indexOf("?");
  if (at === -1) return { minTtlMs: 0, repositories: null, permissions: null, refused: null };
  const given = new URLSearchParams(url.slice(at + 1));
  for (const name of given.keys()) {
    // Somebody who misspells a narrower scope must not get a wider one.
    if (!names.includes(name)) throw refuse(`this route knows no ${name}, only ${names.join(", ")}`);
    if (given.getAll(name).length > 1) throw refuse(`${name} is given twice`);
  }
  const valueOf = (name: string) => given.get(name);
  return {
    minTtlMs: parseMinTtl(valueOf("min_ttl")),
    repositories: parseNames(valueOf("repositories")),
    permissions: parseLevels(valueOf("permissions")),
    refused: parseRefused(valueOf("refused")),
  };
}

function parseMinTtl(text: string | null): number {
  if (text === null) return 0;
  if (!/^\d{1,4}$/.test(text) || Number(text) > longestMinTtlSeconds)
    throw refuse(`min_ttl must be whole seconds, at most ${longestMinTtlSeconds}`);
  return Number(text) * 1000;
}

function parseRefused(text: string | null): string | null {
  if (text === null || /^[0-9a-f]{16}$/i.test(text)) return text && text.toLowerCase();
  throw refuse("refused must be the first 16 hex digits of the refused token's SHA-256");
}

function parseNames(text: string | null): Repository[] | null {
  if (text === null) return null;
  const names = text.split(",");
  const repositories = names.flatMap((name) => parseRepository(name) ?? []);
  if (repositories.length < names.length)
    throw refuse("repositories must be owner/repo, separated by commas");
  if (repositories.length > mostRepositories)
    throw refuse(`a token reaches ${mostRepositories} repositories by name at most`);
  return repositories;
}

/** A repository from `owner/repo`, or null. */
export function parseRepository(text: string): Repository | null {
  const pattern = text.length <= 200 ? parsePattern(text) : null;
  return pattern === null || pattern.repository === null
    ? null
    : { owner: pattern.owner, name: pattern.repository };
}

function parseLevels(text: string | null): Record<string, string> | null {
  if (text === null) return null;
  if (text.trim() === "") throw refuse("permissions must be as in contents:read,issues:write");
  try {
    return parsePermissions(text, "permissions");
  } catch (error) {
    if (error instanceof GhauthError) throw refuse(error.message.replace(/\.$/, ""));
    throw error;
  }
}

function refuse(complaint: string): Refusal {
  return new Refusal(400, `${complaint}.`);
}
