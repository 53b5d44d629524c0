import { GhauthError } from "../../../errors.js";
import { shellWord } from "../../../files/shell-word.js";
import { expandPath } from "../../../system/paths.js";
import { admitsNobody } from "../../../takopi/access.js";
import { readLockHolder } from "../../../takopi/instance-lock.js";
import type { TakopiConfig } from "../../../takopi/takopi-config.js";
import { transports } from "../../../transports/transports.js";
import type { Check, Host } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, type Finding, ok, warning } from "../finding.js";
import { findLostShim } from "../takopi-shim.js";

const chatUnit = "takopi-ghauth.service";

/** Bot tokens and allowlists, who serves the chat, whether somebody else polls for it, and Takopi's `/ghauth`. */
export const chat: Check = {
  label: "chat",
  run: async (host) => {
    const { takopi, configPath } = host;
    const shim = checkShim(host);
    if (takopi === null) return shim.length > 0 ? shim : [ok("none is configured")];
    if (takopi instanceof GhauthError)
      return [
        ...shim,
        warning(
          "cannot be told: see config",
          `Correct that first: \`"\${EDITOR:-vi}" ${shellWord(configPath)}\``,
        ),
      ];
    const chats = takopi.transports.filter((name) => name !== "console");
    const findings = [
      ...shim,
      ...takopi.transports.flatMap((name) => checkTransport(name, takopi, host)),
      ...(chats.length > 0 ? await checkPolling(host) : []),
    ];
    if (findings.length > 0) return findings;
    if (chats.length === 0) return [ok("none is configured")];
    const holder = readLockHolder(configPath);
    const served =
      holder === null ? "nobody serves it now" : `${holder.isOurs ? "ghauth" : "Takopi"} serves it`;
    return [ok(`${chats.join(", ")}: ${served}`)];
  },
};

function checkTransport(
  name: string,
  takopi: TakopiConfig,
  { env, configPath, paths, show }: Host,
): Finding[] {
  const editing = `\`"\${EDITOR:-vi}" ${shellWord(configPath)}\``;
  const descriptor = transports.find((each) => each.name === name);
  if (!descriptor)
    return [
      warning(
        `${name} is no transport of ghauth's: only Takopi can serve it`,
        `If that is not meant, correct transport: ${editing}`,
      ),
    ];
  try {
    const table = takopi.transportConfig(name);
    const { bot_token_file: file, bot_token_env: variable } = table;
    const path = typeof file === "string" ? expandPath(file, paths) : null;
    const open = path === null ? [] : openToOthers(path, { mask: 0o007, mode: "600", what: show(path) });
    if (open.length > 0) return open;
    const access = descriptor.readAccess?.(takopi) ?? null;
    const isElsewhere = typeof variable === "string" && !env[variable];
    const { allowlistKeys } = descriptor.create(
      takopi,
      isElsewhere ? { ...env, [variable]: "elsewhere" } : env,
    );
    return [
      ...(isElsewhere
        ? [
            warning(
              `${name}'s bot_token_env ${variable} is not set here: only the host's service can tell`,
              `Look whether the service has it: \`systemctl --user cat ${chatUnit}\``,
            ),
          ]
        : []),
      ...(access !== null && admitsNobody(access)
        ? [
            warning(
              `${name}: nobody may refresh, for ${allowlistKeys.join(" and ")} are empty`,
              `Put in the ids of those who may: ${editing}`,
            ),
          ]
        : []),
    ];
  } catch (thrown) {
    if (!(thrown instanceof GhauthError)) throw thrown;
    return [error(thrown.message, `Correct it: ${editing}`)];
  }
}

/** By the lock and by the host's log; asking the chat would end a host that runs. */
async function checkPolling({ configPath, look, env, show }: Host): Promise<Finding[]> {
  if (!env["XDG_RUNTIME_DIR"]) return [];
  const [log, unit] = await Promise.all([
    look([
      "journalctl",
      "--user",
      `--unit=${chatUnit}`,
      "--since=-15min",
      "--output=cat",
      "--quiet",
      "--no-pager",
    ]),
    look(["systemctl", "--user", "is-active", chatUnit]),
  ]);
  const state = unit?.stdout.trim() ?? "";
  const holder = readLockHolder(configPath);
  if (holder !== null && !holder.isOurs && state === "activating")
    return [
      error(`Takopi (process ${holder.pid}) serves ${show(configPath)}, and ${chatUnit} tries to`, [
        {
          words: ["systemctl", "--user", "disable", "--now", chatUnit],
          undo: () => [`systemctl --user enable --now ${chatUnit}`],
        },
      ]),
    ];
  const conflicts = (log?.stdout ?? "")
    .split("\n")
    .filter((line) => /"event":"telegram\.conflict"|chat_conflict/.test(line));
  if (conflicts.length === 0) return [];
  return [
    error(
      "another program polls with this bot token, as the host's log of the last 15 minutes says",
      `Stop the other one, or give this host a bot of its own, then: \`systemctl --user restart ${chatUnit}\``,
    ),
  ];
}

function checkShim(host: Host): Finding[] {
  const tool = findLostShim(host);
  if (tool === null) return [];
  return [
    error(
      `Takopi (${host.show(tool)}) has lost /ghauth, as uv tool install -U takopi does without a word`,
      command(host.setupScript("install_local.sh")),
    ),
  ];
}
