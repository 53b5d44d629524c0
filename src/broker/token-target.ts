import type { Scope } from "../github/scope.js";

/**
 * What a client is to get a token for. `installation` says which: the `configured` one; the one that reaches the
 * scope's first repository, or its owner; or that one provided that it is the `configured_or_denied`.
 */
export type TokenTarget = {
  scope: Scope;
  installation: "configured" | "looked_up" | "configured_or_denied";
};

/** The scope as people write it, for the log. */
export function renderScope({ owner, repositories, permissions }: Scope): string {
  const names = repositories.map((name) => (owner === null ? name : `${owner}/${name}`));
  const reach = names.length > 0 ? names.join(",") : owner === null ? "*" : `${owner}/*`;
  const levels = Object.entries(permissions).map(([name, level]) => `${name}:${level}`);
  return [reach, ...(levels.length > 0 ? [levels.join(",")] : [])].join(" ");
}

/** The same for any order and case of the names. */
export function normalizeScope({ repositories, permissions }: Scope): string {
  const names = repositories.map((name) => name.toLowerCase()).sort();
  const levels = Object.entries(permissions).map(([name, level]) => `${name}:${level}`);
  return `${names.join(",")} ${levels.sort().join(",")}`;
}

export function isWholeScope({ owner, repositories, permissions }: Scope): boolean {
  return owner === null && repositories.length === 0 && Object.keys(permissions).length === 0;
}
