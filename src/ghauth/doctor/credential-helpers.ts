import type { GitEntry } from "./git-config.js";

/** The helpers that git asks for a host, in their order: an empty one makes it forget those before it (gitcredentials(7)). */
export function helpersFor(entries: readonly GitEntry[], host: string): GitEntry[] {
  let helpers: GitEntry[] = [];
  for (const entry of entries) {
    const match = /^credential\.(?:(.*)\.)?helper$/s.exec(entry.key);
    if (!match || !isFor(match[1], host)) continue;
    helpers = entry.value === "" ? [] : [...helpers, entry];
  }
  return helpers;
}

/** Whether a section for an address, as `https://github.com`, `github.com` or `https://*.ghe.com`, is one for a host. */
function isFor(pattern: string | undefined, host: string): boolean {
  if (pattern === undefined) return true;
  const [, scheme = "https", name = ""] = /^(?:([a-z]+):\/\/)?(?:[^/@]*@)?([^/]*)/i.exec(pattern) ?? [];
  if (scheme.toLowerCase() !== "https") return false;
  const words = name.toLowerCase().replace(/:443$/, "").split(".");
  const parts = host.split(".");
  return words.length === parts.length && words.every((word, at) => word === "*" || word === parts[at]);
}

/** Git takes `ghauth` for git-credential-ghauth, and runs a path by a shell, so that it may be quoted. */
export function isOurHelper(value: string): boolean {
  return (
    value === "ghauth" ||
    /^(?:\S.*\/)?git-credential-ghauth$/.test(
      value
        .replace(/^!/, "")
        .replaceAll(/["'\\]/g, "")
        .trim(),
    )
  );
}

/** What a person calls a helper. */
export function nameOfHelper(value: string): string {
  if (/\bgh(?:["'])? auth git-credential\b/.test(value)) return "gh";
  return (
    /^!?(\S+)/
      .exec(value)?.[1]
      ?.replace(/^.*\//, "")
      .replace(/^git-credential-/, "") ?? value
  );
}
