/**
 * Every setting that github-app.env may hold. A `list` may be given on several lines; a relative `path` is meant from
 * where it was given. The key's own path is not among them: bootstrap puts the key where it belongs.
 */
export const settingKinds: ReadonlyMap<string, "text" | "list" | "path"> = new Map([
  ["GITHUB_APP_ID", "text"],
  ["GITHUB_APP_INSTALLATION_ID", "text"],
  ["GITHUB_APP_REPOSITORIES", "list"],
  ["GITHUB_APP_PERMISSIONS", "list"],
  ["GITHUB_API_URL", "text"],
  ["TOKEN_ENV_FILE", "path"],
  ["GITHUB_TOKEN_SOURCE", "text"],
  ["GHAUTH_BROKER_URL", "text"],
  ["GHAUTH_BROKER_TOKEN_FILE", "path"],
  ["GHAUTH_BROKER_WORKSPACE", "text"],
  ["GITHUB_TOKEN_COMMAND", "text"],
  ["GH_AUTH", "text"],
  ["GH_CONFIG_DIR", "path"],
  ["GHAUTH_REFRESH_DEADLINE_SECONDS", "text"],
  ["GHAUTH_HOSTS", "list"],
  ["HTTPS_PROXY", "text"],
  ["NO_PROXY", "text"],
  ["NODE_EXTRA_CA_CERTS", "path"],
]);
