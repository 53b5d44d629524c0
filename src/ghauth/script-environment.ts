import { childEnvironment } from "../system/child-environment.js";
import type { Environment } from "../system/paths.js";
import { isBotToken } from "../token/bot-tokens.js";
import type { PluginConfig } from "./plugin-config.js";
import type { Requester } from "./requester.js";

const headroomSeconds = 5;

/**
 * What the refresh script gets. From a terminal that is all that its user has; from chat it is what the script is known
 * to use and what `refresh_env` names, for a bot's environment may hold the keys of other services. The script's own
 * deadline comes before our timeout, so that its own sentence arrives.
 */
export function scriptEnvironment(
  { tokenEnvFile, refreshTimeoutMs, refreshEnv }: PluginConfig,
  { env, trigger, by }: Requester & { env: Environment },
): NodeJS.ProcessEnv {
  const mayPass = trigger === "terminal" ? () => true : isHandedOn(refreshEnv);
  const handed = Object.entries(childEnvironment(env, { keeps: ["GITHUB_APP_PRIVATE_KEY"] })).filter(
    ([name, value]) => mayPass(name) && !isOfAnotherRun(name) && !isBotToken(value ?? ""),
  );
  return {
    ...Object.fromEntries(handed),
    TOKEN_ENV_FILE: tokenEnvFile,
    GHAUTH_TRIGGER: trigger,
    GHAUTH_BY: by ?? "",
    GHAUTH_REFRESH_DEADLINE_SECONDS: String(Math.max(1, refreshTimeoutMs / 1000 - headroomSeconds)),
  };
}

/** The refresh script's settings, but the key itself. */
const settingNames =
  /^(?:GITHUB_APP_(?!PRIVATE_KEY$)\w+|GITHUB_API_URL|GITHUB_TOKEN_(?:SOURCE|COMMAND)|GHAUTH_BROKER_\w+|GHAUTH_HOSTS|GHAUTH_NODE|GH_AUTH|GH_CONFIG_DIR|TOKEN_ENV_FILE)$/;

/** What any program may need: where things are, how to speak, and the way to the network. */
const ordinaryNames =
  /^(?:HOME|PATH|LANG|LC_\w+|TZ|USER|LOGNAME|SHELL|TMPDIR|XDG_\w+|DBUS_SESSION_BUS_ADDRESS|\w+_PROXY|\w+_proxy|SSL_\w+|\w+_CA_\w+|NODE_EXTRA_CA_CERTS)$/;

function isHandedOn(refreshEnv: readonly string[]): (name: string) => boolean {
  return (name) =>
    !isWithheldAlways(name) &&
    (settingNames.test(name) || ordinaryNames.test(name) || refreshEnv.includes(name));
}

/** Whether a variable stays with us whatever `refresh_env` says: another's token, the key, what opens a store or an agent. */
export function isWithheldAlways(name: string): boolean {
  return /^(?:(?:GH|GITHUB)_(?:ENTERPRISE_)?TOKEN|GITHUB_APP_PRIVATE_KEY|GHAUTH_STORE_\w+|SSH_AUTH_SOCK)$/.test(
    name,
  );
}

/** What somebody who ran us told us of their own run. */
function isOfAnotherRun(name: string): boolean {
  return name === "GHAUTH_SEEN_EPOCH" || name === "GHAUTH_LOCK_FD";
}
