import { GhauthError, messageOf } from "../errors.js";
import type { GhauthCommand } from "../ghauth/ghauth-command.js";
import type { Environment } from "../system/paths.js";
import { type AccessPolicy, judge } from "../takopi/access.js";
import { isRestricted } from "../takopi/dispatch.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import { transports } from "../transports/transports.js";
import type { ShimRequest } from "./shim-request.js";
import { withTakopiEnvironment } from "./takopi-overrides.js";
import { readConfigOption, readConfigOptionOrDefaults } from "./config-option.js";

type Deps = { command: Pick<GhauthCommand, "id" | "subcommands" | "allowedUserIds">; env: Environment };

/**
 * Why a request of the Takopi shim is refused, fit for chat; null where it may run. Takopi has decided already which
 * chats it serves, so that only restricted subcommands are asked about here.
 */
export function refusalOf(request: ShimRequest, { command, env }: Deps): string | null {
  const parsed = { command: command.id, args: request.args };
  if (!isRestricted(command, parsed)) return null;
  const { channelId, senderId } = request.message;
  try {
    const read = senderId === null ? readConfigOptionOrDefaults : readConfigOption;
    // Takopi has read it too; here it is refused where others can change which script is run.
    const config = withTakopiEnvironment(read(request.configPath ?? undefined, env), env);
    if (senderId === null)
      return request.pluginConfig["allow_unknown_sender_refresh"] === true ? null : unknownSender;
    if (command.allowedUserIds?.(request).includes(senderId)) return null;
    const policy = readPolicy(config, request.transport);
    const origin = { placeId: channelId, senderId, roleIds: [] };
    // Allowed users are so in every chat that Takopi serves; a private chat's own user is in the configured one.
    const mayRun = [policy, { ...policy, place: null }].some((each) => judge(origin, each) === "operator");
    return mayRun ? null : refusalInTakopi(request.args, senderId);
  } catch (error) {
    return `error:\n${messageOf(error)}`;
  }
}

const unknownSender =
  "Refresh is for allowed users, and this transport does not say who asks. To let everybody refresh in the chats that Takopi serves, set allow_unknown_sender_refresh = true in [plugins.ghauth].";

/** An allowlist of Takopi's is no remedy: while it is empty everybody may talk to Takopi, and one entry silences the rest. */
function refusalInTakopi([word = ""]: readonly string[], senderId: string): string {
  return `You may not run /ghauth ${word.toLowerCase()}: ask an operator to run it, or to add your id, ${senderId}, to refresh_user_ids in [plugins.ghauth] of Takopi's configuration.`;
}

const takopisDefault = "telegram";

/** Takopi runs one transport, which the shim may know better than the file. */
function readPolicy(config: TakopiConfig, running: string | null): AccessPolicy {
  const [name = takopisDefault, ...others] = running === null ? config.transports : [running];
  const readAccess = transports.find((each) => each.name === name)?.readAccess;
  if (readAccess && others.length === 0) return readAccess(config);
  const names = transports.filter((each) => each.readAccess).map((each) => JSON.stringify(each.name));
  throw new GhauthError(
    "config_invalid",
    `${config.path}: refresh needs a transport whose allowed users ghauth can read: transport = ${names.join(" or ")}.`,
  );
}
