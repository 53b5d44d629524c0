import { existsSync } from "node:fs";
import { isAbsolute, join } from "node:path";
import { GhauthError } from "../../errors.js";
import type { Host } from "./check.js";
import { listDirectory, textOf } from "./text-file.js";

/**
 * The environment of uv's that Takopi is installed in, where install_local.sh has put `/ghauth` into it, or the
 * configuration says so, and it is not there any more; else null. uv is not asked: it takes longer than all of doctor.
 */
export function findLostShim({ paths, env, takopi }: Pick<Host, "paths" | "env" | "takopi">): string | null {
  const noted = textOf(join(paths.home, ".local/lib/takopi-ghauth/takopi-tool"))?.trim() ?? "";
  const expected = noted !== "" || isMeant(takopi);
  const tool = noted === "" ? usualTool(paths.home, env) : noted;
  if (!expected || !isAbsolute(tool) || !existsSync(join(tool, "uv-receipt.toml"))) return null;
  const packages = listDirectory(join(tool, "lib"))
    .filter((path) => /\/python3[^/]*$/.test(path))
    .map((path) => join(path, "site-packages"));
  // An environment that looks otherwise than uv's says nothing.
  if (!packages.some((path) => existsSync(join(path, "takopi")))) return null;
  return packages.some((path) => existsSync(join(path, "takopi_ghauth"))) ? null : tool;
}

/** uv's own rule for where its tools are. */
function usualTool(home: string, env: Host["env"]): string {
  const data = env["XDG_DATA_HOME"] || join(home, ".local/share");
  return join(env["UV_TOOL_DIR"] || join(data, "uv/tools"), "takopi");
}

/** `[plugins] enabled` is a list for Takopi that names it, or `[plugins.ghauth]` has a key of the shim's alone. */
function isMeant(takopi: Host["takopi"]): boolean {
  if (takopi === null || takopi instanceof GhauthError) return false;
  const table = takopi.pluginConfig("ghauth");
  const names = new Set(takopi.enabledPlugins.map((name) => name.replaceAll(/[-_.]+/g, "-").toLowerCase()));
  // Takopi's own package is in the list for Takopi alone.
  const isListed = names.has("takopi") && names.has("takopi-ghauth");
  return isListed || "cli" in table || "allow_unknown_sender_refresh" in table;
}
