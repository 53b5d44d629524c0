/** A repository as somebody named it; `owner` is null where the name says none. */
export type RepositoryName = { owner: string | null; name: string };

/** A repository from a name, `owner/repo` or a clone URL (https, ssh, git, scp-like; with or without `.git`), or null. */
export function parseRepositoryName(text: string): RepositoryName | null {
  const location = text
    .replace(/^[a-z][a-z0-9+.-]*:\/\/[^/]*\//i, "") // https://host/, ssh://git@host:22/, git://host/
    .replace(/^[^/@]+@[^/:]+:\/?/, ""); // git@host:
  const path = location.replace(/\/+$/, "").replace(/\.git$/i, "");
  const match = /^(?:([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)\/)?([A-Za-z0-9._-]+)$/.exec(path);
  const isOwner = (location !== text || text.endsWith("/")) && match?.[1] === undefined;
  if (!match?.[2] || /^\.{1,2}$/.test(match[2]) || isOwner) return null;
  return { owner: match[1] ?? null, name: match[2] };
}
