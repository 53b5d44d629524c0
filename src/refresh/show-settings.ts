import { shellWord } from "../files/shell-word.js";
import { settings as settingsTable } from "../source/settings-table.js";
import { parsePath } from "../source/source-config.js";
import type { Environment, Paths } from "../system/paths.js";
import { redact } from "../token/redact.js";
import type { RefreshConfig } from "./refresh-config.js";

/**
 * What the refresh script uses, as assignments that a shell can eval: paths are absolute, defaults are filled in, and
 * there is no secret among them.
 */
export function showSettings(settings: Environment, config: RefreshConfig, paths: Paths): string {
  const used = new Map<string, string>();
  for (const [name, { kind }] of Object.entries(settingsTable)) {
    const value = settings[name];
    if (value !== undefined) used.set(name, kind === "path" ? parsePath(value, paths) : value);
  }
  for (const [name, value] of Object.entries(defaultsOf(config))) used.set(name, value);
  if (!config.gh) used.delete("GH_CONFIG_DIR");
  return [...used].map(([name, value]) => `${name}=${shellWord(redact(value))}`).join("\n");
}

/** What is used whether it was set or not. */
function defaultsOf({ apiUrl, source, tokenEnvFile, gh, deadlineSeconds }: RefreshConfig) {
  const used: Record<string, string> = {
    GITHUB_API_URL: apiUrl.href.replace(/\/$/, ""),
    TOKEN_ENV_FILE: tokenEnvFile,
    GITHUB_TOKEN_SOURCE: source.type,
    GH_AUTH: gh ? "auto" : "off",
    GHAUTH_REFRESH_DEADLINE_SECONDS: String(deadlineSeconds),
  };
  if (gh) used["GH_CONFIG_DIR"] = gh.configDir;
  if (source.type === "app" && "path" in source.privateKey)
    used["GITHUB_APP_PRIVATE_KEY_PATH"] = source.privateKey.path;
  return used;
}
