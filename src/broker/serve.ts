import { getRequestListener } from "@hono/node-server";
import { GhauthError, toGhauthError } from "../errors.js";
import { createBatchedStdout } from "../log/batched-stdout.js";
import { createLog, type Log } from "../log/log.js";
import { systemClock } from "../system/clock.js";
import { endSoon } from "../system/end-soon.js";
import { resolvePaths } from "../system/paths.js";
import { type BrokerOptions, parseBrokerOptions, readBrokerSettings } from "./broker-config.js";
import { type Authenticate, authenticateNobody, createAuthenticate, readClients } from "./clients.js";
import { thinCrowd } from "./crowd.js";
import { closeGracefully, createBoundedServer, isLoopback, listen } from "./listen.js";
import { createQuickAnswer } from "./quick-answer.js";
import { createRoutes, type RoutesDeps } from "./routes.js";
import { openTokens } from "./open-tokens.js";

/** The broker, until SIGTERM or SIGINT; resolves with the exit code. Rejects where it can't start. */
export async function serve(args: string[]): Promise<number> {
  const options = parseBrokerOptions(args);
  const { env } = process;
  const paths = resolvePaths(env);
  const settings = readBrokerSettings(env, paths);
  const clientsFile = options.config ?? paths.brokerConfig;
  let authenticate = readAuthenticate(clientsFile, options);
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
      authenticate = reload(log, { clientsFile, options, authenticate });
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

/** Without clients anybody would be let in: only who says so, and only on this host. */
function readAuthenticate(path: string, { insecureNoAuth, listen: address }: BrokerOptions): Authenticate {
  const clients = readClients(path);
  if (clients.length > 0 && insecureNoAuth) {
    throw new GhauthError(
      "config_invalid",
      `${path} names clients, and --insecure-no-auth would let everybody in: leave one out.`,
    );
  }
  if (clients.length > 0) return createAuthenticate(clients);
  if (!insecureNoAuth)
    throw new GhauthError("config_invalid", `${path} names no client: run ghauth broker client add NAME.`);
  if (!isLoopback(address)) {
    throw new GhauthError(
      "config_invalid",
      "--insecure-no-auth is for loopback and unix sockets only: listen there, or add clients.",
    );
  }
  return authenticateNobody;
}

/** The clients as the file names them now; the old ones where it is no good. */
function reload(
  log: Log,
  {
    clientsFile,
    options,
    authenticate,
  }: { clientsFile: string; options: BrokerOptions; authenticate: Authenticate },
): Authenticate {
  try {
    const fresh = readAuthenticate(clientsFile, options);
    log.info("clients.reloaded");
    return fresh;
  } catch (thrown) {
    const { code, message } = toGhauthError(thrown);
    log.error("clients.kept", { code, sentence: `${message} The clients stay as they were.` });
    return authenticate;
  }
}

async function waitForStop(): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ["SIGTERM", "SIGINT"] as const) process.once(name, () => resolve(name));
  });
}
