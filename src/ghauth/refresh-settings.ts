import { GhauthError } from "../errors.js";
import { readEnvFile } from "../files/env-file.js";

/** The refresh script's settings in github-app.env; null where they are not ours to read, as in the chat host's sandbox. */
export function readRefreshSettings(appEnvFile: string): ReadonlyMap<string, string> | null {
  try {
    return readEnvFile(appEnvFile);
  } catch (error) {
    if (error instanceof GhauthError) return null;
    throw error;
  }
}
