/**
 * The hosts, lower case and with a port that is not https's, for which git's helper answers: github.com, that of
 * GITHUB_API_URL, and those of GHAUTH_HOSTS.
 */
export function gitHostsOf(setting: (name: string) => string | undefined): string[] {
  const apiUrl = setting("GITHUB_API_URL") ?? "";
  const apiHost = URL.canParse(apiUrl) ? webHostOf(new URL(apiUrl).host) : "";
  const more =
    setting("GHAUTH_HOSTS")
      ?.toLowerCase()
      .split(/[\s,]+/) ?? [];
  return [...new Set(["github.com", apiHost, ...more])].filter(Boolean);
}

/** GitHub's own clouds have their API on a host beside the one that people and git use; an Enterprise Server has one for both. */
export function webHostOf(apiHost: string): string {
  return apiHost.replace(/^api\.(github\.com|[a-z0-9-]+\.ghe\.com)(?=:|$)/, "$1");
}
