import { gitHostsOf } from "../token/git-hosts.js";
import { parseRepositoryName } from "../token/repository-name.js";
import { isSameName } from "../token/same-name.js";
import type { Attributes } from "./attributes.js";

/** Where git wants to go. */
export type Remote = Pick<Attributes, "protocol" | "host" | "path">;

/**
 * Whether a remote is ours to answer: over https, at one of our hosts, and, where git tells the path
 * (credential.useHttpPath), at a repository that the token reaches as far as GITHUB_APP_REPOSITORIES says.
 */
export function isOurs(
  { protocol, host, path }: Remote,
  setting: (name: string) => string | undefined,
): boolean {
  if (protocol.toLowerCase() !== "https" || !gitHostsOf(setting).includes(host.toLowerCase())) return false;
  if (path === "") return true;
  const segments = segmentsOf(path);
  return segments !== null && isWithin(setting("GITHUB_APP_REPOSITORIES") ?? "", segments);
}

/** A path's segments, or null where it is more than it looks: a server may read it as another repository's. */
function segmentsOf(path: string): string[] | null {
  const segments = path.replace(/^\//, "").replace(/\/$/, "").split("/");
  return segments.every(isPlain) ? segments : null;
}

function isPlain(segment: string): boolean {
  try {
    const decoded = decodeURIComponent(segment);
    return !["", ".", ".."].includes(decoded) && !decoded.includes("/");
  } catch {
    return false; // not encoded as URLs are
  }
}

/** `acme/site.git`, `acme/site.wiki.git` and `acme/site.git/info/lfs` are one repository's. */
function isWithin(scope: string, [owner = "", name = ""]: string[]): boolean {
  const repositories = scope.split(/[\s,]+/).flatMap((item) => parseRepositoryName(item) ?? []);
  if (scope.trim() === "") return true;
  // A name without an owner is of the owner that the others name, or of the installation's, which is not told here.
  const owners = repositories.flatMap((repository) => repository.owner ?? []);
  const asked = name.replace(/\.git$/i, "").replace(/\.wiki$/i, "");
  return repositories.some(
    (repository) =>
      isSameName(repository.name, asked) && isSameName(repository.owner ?? owners.at(-1) ?? owner, owner),
  );
}
