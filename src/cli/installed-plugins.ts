import { ownPackageRoot } from "../system/own-package.js";
import { listPlugins, type PluginList } from "../takopi/plugin-registry.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";

/** The command backends installed beside this program. */
export function installedPlugins({ enabledPlugins }: TakopiConfig): PluginList {
  return listPlugins(ownPackageRoot(), enabledPlugins);
}
