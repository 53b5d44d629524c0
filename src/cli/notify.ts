import { createLog } from "../log/log.js";
import { describeWhere } from "../notify/describe-destinations.js";
import { notify } from "../notify/notify.js";
import { systemClock } from "../system/clock.js";
import { endSoon } from "../system/end-soon.js";
import { resolvePaths } from "../system/paths.js";
import type { Secret } from "../token/secret.js";
import { redact } from "../token/redact.js";
import { transports as descriptors } from "../transports/transports.js";
import { readConfigOptionOrDefaults } from "./config-option.js";

/** `ghauth notify`: one look at the refresh log, at most one message a chat; `--where` only says where they go. */
export async function main({ config: file, where }: { config?: string; where?: true }): Promise<number> {
  const { env, stdout, stderr } = process;
  const config = readConfigOptionOrDefaults(file, env);
  if (where) {
    stdout.write(redact(describeWhere(config, { descriptors, home: resolvePaths(env).home })));
    return 0;
  }
  const secrets: Secret[] = [];
  const log = createLog({ level: env["LOG_LEVEL"], write: (line) => stderr.write(line), known: secrets });
  try {
    return await notify({ descriptors, env, clock: systemClock, log, secrets }, config);
  } finally {
    endSoon();
  }
}
