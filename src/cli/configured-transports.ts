import { GhauthError } from "../errors.js";
import { systemClock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import type { Transport } from "../takopi/host.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import { readTransportConfig } from "../takopi/transport-config.js";
import type { Secret } from "../token/secret.js";

type Chosen = { transport: Transport; botToken?: Secret };

const known: Record<string, (config: TakopiConfig, env: Environment) => Chosen> = {
  console: () => {
    const transport: Transport = {
      name: "console",
      access: null,
      postsStartupMessage: false,
      run: async ({ dispatch }, signal) => {
        const { runConsole } = await import("../transports/console/console.js");
        await runConsole({ input: process.stdin, output: process.stdout }, dispatch, signal);
      },
    };
    return { transport };
  },
  telegram: (config, env) => {
    const { botToken, apiRoot, access, startupMessage } = readTransportConfig("telegram", config, env);
    const transport: Transport = {
      name: "telegram",
      access,
      postsStartupMessage: startupMessage,
      run: async (service, signal) => {
        const { runTelegram } = await import("../transports/telegram/bot.js");
        await runTelegram({ botToken, apiRoot, clock: systemClock }, service, signal);
      },
    };
    return { transport, botToken };
  },
  discord: (config, env) => {
    const { botToken, apiRoot, access, startupMessage } = readTransportConfig("discord", config, env);
    const transport: Transport = {
      name: "discord",
      access,
      postsStartupMessage: startupMessage,
      run: async (service, signal) => {
        const { runDiscord } = await import("../transports/discord/bot.js");
        await runDiscord({ botToken, apiRoot, clock: systemClock }, service, signal);
      },
    };
    return { transport, botToken };
  },
};

/** The transports that a configuration chooses, ready to run, and their bot tokens. Rejects with `config_invalid`. */
export function createTransports(
  config: TakopiConfig,
  env: Environment,
): { transports: Transport[]; botTokens: Secret[] } {
  const chosen = config.transports.map((name) => {
    const create = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!create) throw unknownTransport(name, config);
    return create(config, env);
  });
  return {
    transports: chosen.map(({ transport }) => transport),
    botTokens: chosen.flatMap(({ botToken }) => botToken ?? []),
  };
}

function unknownTransport(name: string, { path }: TakopiConfig): GhauthError {
  return new GhauthError(
    "config_invalid",
    `${path}: transport ${JSON.stringify(name)} is not known; the transports are ${Object.keys(known).join(", ")}.`,
  );
}
