import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { listPlugins, type PluginList } from "../takopi/plugin-registry.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";

/** The command backends installed beside this program. */
export function installedPlugins({ enabledPlugins }: TakopiConfig): PluginList {
  const ownRoot = dirname(fileURLToPath(import.meta.resolve("takopi-ghauth/package.json")));
  return listPlugins(ownRoot, enabledPlugins);
}
