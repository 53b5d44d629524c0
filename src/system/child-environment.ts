import type { Environment } from "./paths.js";

/** Secrets that programs of ours take from their environment. */
const secrets = ["GITHUB_APP_PRIVATE_KEY", "GHAUTH_STORE_PASSWORD"] as const;

/**
 * The environment for a program that we run: ours without the secrets that it has no use for. The refresh script alone
 * `keeps` one, the key.
 */
export function childEnvironment(
  env: Environment,
  { keeps = [] }: { keeps?: readonly (typeof secrets)[number][] } = {},
): NodeJS.ProcessEnv {
  const child: NodeJS.ProcessEnv = { ...env };
  for (const name of secrets) if (!keeps.includes(name)) delete child[name];
  return child;
}
