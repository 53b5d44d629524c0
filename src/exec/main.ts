import { GhauthError } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import { systemClock } from "../system/clock.js";
import { resolvePaths } from "../system/paths.js";
import { obtainFreshToken } from "../fresh-token/fresh-token.js";
import { parseFreshTokenConfig, readSettings } from "../fresh-token/fresh-token-config.js";
import { webHostOf } from "../token/git-hosts.js";
import { runInPlace } from "./run-in-place.js";

/** `ghauth exec -- COMMAND…`. Resolves with the exit code; rejects where there is no token, and then ran nothing. */
export async function main(_options: object, [program, ...words]: string[]): Promise<number> {
  if (program === undefined) throw new GhauthError("usage", "a command is missing: ghauth exec -- COMMAND…");
  const { env } = process;
  const paths = resolvePaths(env);
  const setting = readSettings(env, paths);
  const held = await obtainFreshToken(
    { clock: systemClock, env, trigger: "exec" },
    parseFreshTokenConfig(setting, env, paths),
  );
  const token = held.token.secret.reveal();
  const variables = [
    "GH_TOKEN",
    "GITHUB_TOKEN",
    // gh takes these for a host that is not github.com, and the former never.
    ...(isEnterprise(setting("GITHUB_API_URL")) ? ["GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"] : []),
  ];
  return runInPlace([program, ...words], {
    ...childEnvironment(env),
    ...Object.fromEntries(variables.map((name) => [name, token])),
  });
}

function isEnterprise(apiUrl: string | undefined): boolean {
  return apiUrl !== undefined && URL.canParse(apiUrl) && webHostOf(new URL(apiUrl).hostname) !== "github.com";
}
