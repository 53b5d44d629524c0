import { pathToFileURL } from "node:url";
import { messageOf } from "../errors.js";
import type { CommandBackend } from "./command-backend.js";
import type { PluginEntry, PluginError, PluginList } from "./plugin-registry.js";

export type LoadedPlugins = { backends: Map<string, CommandBackend>; errors: PluginError[] };

/**
 * Imports the enabled command backends. One that cannot be loaded stands for itself: on use it says why, as Takopi
 * does, and so does an error in the list.
 */
export async function loadPlugins({ enabled }: Pick<PluginList, "enabled">): Promise<LoadedPlugins> {
  const backends = new Map<string, CommandBackend>();
  const errors: PluginError[] = [];
  for (const entry of enabled) {
    try {
      backends.set(entry.id, await loadBackend(entry));
    } catch (error) {
      const message = messageOf(error);
      errors.push({ ...entry, message });
      backends.set(entry.id, brokenBackend(entry.id, message));
    }
  }
  return { backends, errors };
}

async function loadBackend({ id, value, path }: PluginEntry): Promise<CommandBackend> {
  const loaded: unknown = await import(pathToFileURL(path).href);
  const backend: unknown =
    typeof loaded === "object" && loaded !== null && "BACKEND" in loaded ? loaded.BACKEND : undefined;
  if (!isCommandBackend(backend)) throw new Error(`${value} is not a CommandBackend`);
  if (backend.id !== id)
    throw new Error(`${value} command id '${backend.id}' does not match entrypoint '${id}'`);
  return backend;
}

function isCommandBackend(value: unknown): value is CommandBackend {
  return (
    typeof value === "object" &&
    value !== null &&
    "id" in value &&
    typeof value.id === "string" &&
    "description" in value &&
    typeof value.description === "string" &&
    "handle" in value &&
    typeof value.handle === "function"
  );
}

function brokenBackend(id: string, message: string): CommandBackend {
  return {
    id,
    description: "cannot be loaded",
    handle: async () => Promise.reject(new Error(`Failed to load command '${id}': ${message}`)),
  };
}
