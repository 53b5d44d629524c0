/** `owner/repo`, or with a null repository `owner/*`. */
export type RepositoryPattern = { owner: string; repository: string | null };

/** A pattern from its text, or null. */
export function parsePattern(text: string): RepositoryPattern | null {
  const [, owner, repository] =
    /^([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)\/([A-Za-z0-9._-]+|\*)$/.exec(text) ?? [];
  if (owner === undefined || repository === undefined || /^\.{1,2}$/.test(repository)) return null;
  return { owner, repository: repository === "*" ? null : repository };
}

/** The pattern as it is written. */
export function renderPattern({ owner, repository }: RepositoryPattern): string {
  return `${owner}/${repository ?? "*"}`;
}
