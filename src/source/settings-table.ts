/** A setting of github-app.env: what it is, as help says it. A `list` may be given on several lines; a relative `path` is meant from where it was given. */
type Setting = { kind: "text" | "list" | "path"; help: string };

const text = (help: string): Setting => ({ kind: "text", help });
const list = (help: string): Setting => ({ kind: "list", help });
const path = (help: string): Setting => ({ kind: "path", help });

/**
 * Every setting that github-app.env may hold. The key's own path is not among them: bootstrap puts the key where it
 * belongs.
 */
export const settings: Readonly<Record<string, Setting>> = {
  GITHUB_APP_ID: text("the App's ID or client ID"),
  GITHUB_APP_INSTALLATION_ID: text("looked up where GITHUB_APP_REPOSITORIES names one owner's"),
  GITHUB_APP_REPOSITORIES: list("the token's scope: owner/repo or clone URLs"),
  GITHUB_APP_PERMISSIONS: list("as in contents:read,issues:write; default the App's"),
  GITHUB_API_URL: text("default https://api.github.com"),
  TOKEN_ENV_FILE: path("default ~/.config/takopi/github-token.env"),
  GITHUB_TOKEN_SOURCE: text("app (default), broker or command"),
  GHAUTH_BROKER_URL: text("where the broker is"),
  GHAUTH_BROKER_TOKEN_FILE: path("a file with this host's bearer token, mode 0600"),
  GHAUTH_BROKER_WORKSPACE: text("whose token to ask for; without it the admin route is asked"),
  GITHUB_TOKEN_COMMAND: text('prints a token, or {"token","expires_at"}; run without a shell'),
  GH_AUTH: text("auto (default), or off: gh is left alone"),
  GH_CONFIG_DIR: path("where gh keeps its configuration"),
  GHAUTH_REFRESH_DEADLINE_SECONDS: text("how long a run may take; default 60"),
  GHAUTH_HOSTS: list("hosts that git's helper answers for, beside github.com and GITHUB_API_URL's"),
  HTTPS_PROXY: text("as everywhere"),
  NO_PROXY: text("as everywhere"),
  NODE_EXTRA_CA_CERTS: path("certificates to trust, PEM"),
};
