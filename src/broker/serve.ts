import { getRequestListener } from "@hono/node-server";
import { createBatchedStdout } from "../log/batched-stdout.js";
import { createLog } from "../log/log.js";
import { systemClock } from "../system/clock.js";
import { endSoon } from "../system/end-soon.js";
import { resolvePaths } from "../system/paths.js";
import { readAdmission, reloadAdmission } from "./read-admission.js";
import { type GivenOptions, parseBrokerOptions, readBrokerSettings } from "./broker-options.js";
import { thinCrowd } from "./crowd.js";
import { closeGracefully, createBoundedServer, listen } from "./listen.js";
import { createQuickAnswer } from "./quick-answer.js";
import { createRoutes, type RoutesDeps } from "./routes.js";
import { openTokens } from "./assemble-tokens.js";

/** `ghauth broker`, until SIGTERM or SIGINT; resolves with the exit code. Rejects where it can't start. */
export async function main(given: GivenOptions): Promise<number> {
  const options = parseBrokerOptions(given);
  const { env } = process;
  const paths = resolvePaths(env);
  const settings = readBrokerSettings(env, paths);
  const clientsFile = options.config ?? paths.brokerConfig;
  let { authenticate } = readAdmission(clientsFile, options, { isStart: true });
  const { write, flush } = createBatchedStdout();
  const log = createLog({ level: settings["LOG_LEVEL"], write });
  const deps = { clock: systemClock, random: Math.random, env, log };
  const { tokens, app, metrics, storeState, close } = await openTokens(deps, { settings, paths, options });
  try {
    const serverDeps: RoutesDeps = {
      clock: systemClock,
      log,
      metrics,
      authenticate: ({ headers, socket }) => {
        const client = authenticate(headers.authorization);
        if (client) crowd.admit(socket);
        return client;
      },
      tokens,
      app,
      storeState,
    };
    const stopped = waitForStop();
    const answerAtOnce = createQuickAnswer(serverDeps);
    const answer = getRequestListener(createRoutes(serverDeps).fetch);
    const server = createBoundedServer((request, response) => {
      if (!answerAtOnce(request, response)) void answer(request, response);
    });
    const crowd = thinCrowd(server);
    process.on("SIGHUP", () => {
      authenticate = reloadAdmission(log, { clientsFile, options, authenticate });
    });
    log.info("broker.listening", { address: await listen(server, options.listen) });
    if (options.insecureNoAuth)
      log.warn("broker.open", { sentence: "No bearer token is asked for: whoever connects gets tokens." });
    log.info("broker.stopping", { signal: await stopped });
    await closeGracefully(server);
    return 0;
  } finally {
    await close();
    flush();
    endSoon();
  }
}

async function waitForStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
