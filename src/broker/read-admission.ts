import { GhauthError, toGhauthError } from "../errors.js";
import type { Log } from "../log/log.js";
import type { BrokerOptions } from "./broker-options.js";
import { admitEverybody, type Authenticate, createAuthenticate } from "./clients.js";
import { readClients } from "./clients-file.js";
import { isLoopback } from "./listen.js";

/** Who is let in, and how many clients that are. */
export type Admission = { authenticate: Authenticate; clients: number };

/**
 * Who is let in by broker.toml. Without clients it is everybody, for those who say so, and only on this host. A broker
 * that runs may lose its last client, but not to a file that was emptied. Throws `config_invalid`.
 */
export function readAdmission(
  path: string,
  { insecureNoAuth, listen: address }: BrokerOptions,
  { isStart }: { isStart: boolean },
): Admission {
  const clients = readClients(path);
  if (!insecureNoAuth) {
    if (clients && (clients.length > 0 || !isStart))
      return { authenticate: createAuthenticate(clients), clients: clients.length };
    throw new GhauthError("config_invalid", `${path} names no client: run ghauth broker client add NAME.`);
  }
  if (clients && clients.length > 0) {
    throw new GhauthError(
      "config_invalid",
      `${path} names clients, and --insecure-no-auth would let everybody in: leave one out.`,
    );
  }
  if (isLoopback(address)) return { authenticate: admitEverybody, clients: 0 };
  throw new GhauthError(
    "config_invalid",
    "--insecure-no-auth is for loopback and unix sockets only: listen there, or add clients.",
  );
}

/** Who is let in as broker.toml stands now; as before where it is not whole, or no good. */
export function reloadAdmission(
  log: Log,
  {
    clientsFile,
    options,
    authenticate,
  }: { clientsFile: string; options: BrokerOptions; authenticate: Authenticate },
): Authenticate {
  try {
    const { authenticate: fresh, clients } = readAdmission(clientsFile, options, { isStart: false });
    log.info("clients.reloaded", { clients });
    return fresh;
  } catch (thrown) {
    const { code, message } = toGhauthError(thrown);
    log.error("clients.kept", { code, sentence: `${message} The clients stay as they were.` });
    return authenticate;
  }
}
