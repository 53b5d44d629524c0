import { parseJson } from "../files/json.js";
import type { Environment } from "../system/paths.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";

/** A configuration as the real Takopi sees it: variables such as TAKOPI__TRANSPORTS__TELEGRAM__ALLOWED_USER_IDS win. */
export function withTakopiEnvironment(config: TakopiConfig, env: Environment): TakopiConfig {
  const transport = env["TAKOPI__TRANSPORT"];
  return {
    ...config,
    ...(transport && { transports: [transport] }),
    transportConfig: (name) => ({ ...config.transportConfig(name), ...tableOf(name, env) }),
  };
}

function tableOf(name: string, env: Environment): Record<string, unknown> {
  const prefix = `takopi__transports__${name.toLowerCase()}__`;
  return Object.fromEntries(
    Object.entries(env)
      .map(([variable, value]) => [variable.toLowerCase(), value] as const)
      .filter(([variable]) => variable.startsWith(prefix))
      .map(([variable, value = ""]) => [variable.slice(prefix.length), parseValue(value)]),
  );
}

/** JSON where it is a list or a number; ids that exceed what JSON's numbers hold stay as they are written. */
function parseValue(text: string): unknown {
  return parseJson(text.replaceAll(/(?<!["\d-])-?\d{16,}(?!["\d])/g, '"$&"')) ?? text;
}
