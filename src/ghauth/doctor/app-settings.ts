import { statSync } from "node:fs";
import { GhauthError } from "../../errors.js";
import { readEnvFile } from "../../files/env-file.js";
import type { Environment } from "../../system/paths.js";
import type { Sandbox } from "./sandbox.js";

/** The refresh script's settings as far as they can be seen: `of` is one of them, the environment's first. */
export type AppSettings = {
  file:
    | { type: "missing" }
    | { type: "hidden" }
    | { type: "unusable"; sentence: string }
    | { type: "read"; names: ReadonlyMap<string, string> };
  /** The file's permission bits; null where there is none to see. */
  mode: number | null;
  of: (name: string) => string | undefined;
};

export function readAppSettings(
  path: string,
  { env, sandbox }: { env: Environment; sandbox: Sandbox },
): AppSettings {
  const file = readFile(path, sandbox);
  const stats = file.type === "hidden" ? undefined : statSync(path, { throwIfNoEntry: false });
  return {
    file,
    mode: stats ? stats.mode & 0o777 : null,
    of: (name) => env[name] || (file.type === "read" && file.names.get(name)) || undefined,
  };
}

function readFile(path: string, sandbox: Sandbox): AppSettings["file"] {
  if (sandbox.hides(path)) return { type: "hidden" };
  try {
    if (!statSync(path, { throwIfNoEntry: false })) return { type: "missing" };
    return { type: "read", names: readEnvFile(path) };
  } catch (error) {
    if (error instanceof GhauthError) return { type: "unusable", sentence: error.message };
    throw error;
  }
}
