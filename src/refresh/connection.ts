import { createGitHubRequest, type GitHubRequest } from "../github/github-api.js";
import { createHttpClient } from "../github/http-client.js";
import type { TokenSourceConfig } from "../source/source-config.js";
import type { SourceDeps } from "../source/token-source.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";

/** What a run asks GitHub by, until its deadline, an instant of `clock.elapsedMs`. */
export type Connection = SourceDeps & {
  request: GitHubRequest;
  deadlineMs: number;
  /** Loads what the first call will need, while something else is waited for. */
  prepare: () => void;
  close: () => void;
};

export function connect(
  { clock, env }: { clock: Clock; env: Environment },
  {
    apiUrl,
    deadlineSeconds,
    extraCaFile,
  }: Pick<TokenSourceConfig, "apiUrl" | "deadlineSeconds" | "extraCaFile">,
): Connection {
  const deadlineMs = deadlineSeconds * 1000;
  const timeLeftMs = () => deadlineMs - clock.elapsedMs();
  const { request: http, prepare, close } = createHttpClient({ timeLeftMs, extraCaFile });
  const request = createGitHubRequest(http, apiUrl);
  return { http, request, clock, env, timeLeftMs, deadlineMs, prepare: () => prepare(apiUrl), close };
}
