import { explainWrite } from "../files/write-failure.js";
import type { InstallationToken } from "../token/installation-token.js";
import { writeTokenFile } from "../token/token-file.js";
import type { GhAuth, GhAuthDeps } from "./gh-auth.js";

export type PublishTo = { tokenEnvFile: string; gh: GhAuth | null };

/**
 * Publishes a token that works: the token env file first, then gh. Answers with warnings: a gh that is missing or
 * fails does not lose the refresh. Rejects with `write_failed` or `file_unusable`; the old file then stays.
 */
export async function publish(deps: GhAuthDeps, to: PublishTo, token: InstallationToken): Promise<string[]> {
  try {
    writeTokenFile(to.tokenEnvFile, token);
  } catch (error) {
    throw explainWrite(error, "The token env file", to.tokenEnvFile);
  }
  if (!to.gh) return [];
  const { updateGhAuth } = await import("./gh-auth.js");
  const complaint = await updateGhAuth(deps, to.gh, token.secret);
  return complaint === null ? [] : [`warning: gh was not updated: ${complaint}`];
}
