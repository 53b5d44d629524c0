import { GhauthError } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import { systemClock } from "../system/clock.js";
import { resolvePaths } from "../system/paths.js";
import { obtainFreshToken } from "../fresh-token/fresh-token.js";
import { parseFreshTokenConfig, readSettings } from "../fresh-token/fresh-token-config.js";
import { webHostOf } from "../token/git-hosts.js";
import { runInPlace } from "./run-in-place.js";

const usage = `usage: ghauth exec -- COMMAND [ARGUMENT]…

Runs COMMAND with a fresh installation token in GH_TOKEN and GITHUB_TOKEN of its environment alone.
Exit codes: the command's; 128 + n where signal n ended it; 127 not found; 126 not executable;
75 or 78 no token, as the refresh script says (the command is then not run); 64 usage.
`;

/** `ghauth exec -- COMMAND…`. Resolves with the exit code; rejects where there is no token, and then ran nothing. */
export async function main(args: string[]): Promise<number> {
  const command = commandIn(args);
  if (command === "help") {
    process.stdout.write(usage);
    return 0;
  }
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
  return runInPlace(command, {
    ...childEnvironment(env),
    ...Object.fromEntries(variables.map((name) => [name, token])),
  });
}

function isEnterprise(apiUrl: string | undefined): boolean {
  return apiUrl !== undefined && URL.canParse(apiUrl) && webHostOf(new URL(apiUrl).hostname) !== "github.com";
}

function commandIn(args: string[]): [string, ...string[]] | "help" {
  const [first = ""] = args;
  if (first === "--help" || first === "-h") return "help";
  const [program, ...words] = first === "--" ? args.slice(1) : args;
  if (program === undefined) throw new GhauthError("usage", "A command is missing: ghauth exec -- COMMAND…");
  if (first !== "--" && first.startsWith("-")) {
    throw new GhauthError("usage", `There is no option ${first}: ghauth exec -- COMMAND…`);
  }
  return [program, ...words];
}
