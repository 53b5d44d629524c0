import { loadPlugins } from "../takopi/load-plugins.js";
import { compare, type PluginList } from "../takopi/plugin-registry.js";
import { redact } from "../token/redact.js";
import { readConfigOptionOrDefaults } from "./config-option.js";
import { installedPlugins } from "./installed-plugins.js";

/** `ghauth plugins`: lists the command backends in Takopi's format; `--load` imports the enabled ones. Resolves with 0. */
export async function main({ config: file, load }: { config?: string; load?: true }): Promise<number> {
  const plugins = installedPlugins(readConfigOptionOrDefaults(file, process.env));
  const loaded = load ? await loadPlugins(plugins) : { errors: [] };
  process.stdout.write(redact(render(plugins, [...plugins.errors, ...loaded.errors])));
  return 0;
}

function render({ enabled, disabled, hasAllowlist }: PluginList, errors: PluginList["errors"]): string {
  const known = [
    ...enabled.map((entry) => ({ entry, mark: hasAllowlist ? " enabled" : "" })),
    ...disabled.map((entry) => ({ entry, mark: " disabled" })),
  ].sort((a, b) => compare(a.entry.id, b.entry.id));
  const lines = ["command backends:"];
  if (known.length === 0) lines.push("  (none)");
  for (const { entry, mark } of known) lines.push(`  ${entry.id} (${entry.packageName})${mark}`);
  if (errors.length > 0) lines.push("errors:");
  for (const { id, packageName, message } of errors)
    lines.push(`  command ${id} (${packageName}): ${message}`);
  return `${lines.join("\n")}\n`;
}
