import { once } from "node:events";
import { lstatSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { connect } from "node:net";
import { errnoOf, GhauthError, messageOf } from "../errors.js";

export type ListenAddress = { socketPath: string } | { host: string; port: number };

/** An address from `127.0.0.1:8787`, `[::1]:8787` or `unix:/path`. Throws `usage`. */
export function parseListenAddress(text: string): ListenAddress {
  const socketPath = /^unix:(\/.+)$/.exec(text)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, bracketed, plain, port] = /^(?:\[([0-9a-f:.]+)\]|([A-Za-z0-9.-]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535)
    throw new GhauthError("usage", "--listen takes HOST:PORT, [IPv6]:PORT or unix:/PATH.");
  return { host, port: Number(port) };
}

export function isLoopback(address: ListenAddress): boolean {
  return "socketPath" in address || /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/i.test(address.host);
}

const largestBody = 16_384;

/** A server that waits for no slow client, and takes no more of any than it needs. */
export function createBoundedServer(listener: RequestListener): Server {
  const limits = {
    maxHeaderSize: 16_384,
    headersTimeout: 5000,
    requestTimeout: 10_000,
    keepAliveTimeout: 30_000,
    connectionsCheckingInterval: 1000,
  };
  const server = createServer(limits, (request, response) => {
    // No route reads a body: a small one is passed over, any other ends the connection.
    if (hasLargeBody(request)) {
      response.writeHead(413, { connection: "close", "content-type": "application/json" });
      response.end('{"error":"a body is not wanted here"}');
      return;
    }
    if (request.headers["transfer-encoding"] !== undefined) response.setHeader("connection", "close");
    listener(request, response);
  });
  server.maxConnections = 2000;
  server.setTimeout(60_000);
  return server;
}

function hasLargeBody({ headers }: IncomingMessage): boolean {
  return Number(headers["content-length"] ?? 0) > largestBody;
}

/** Listens; a unix socket has mode 0660 from its first moment. Resolves with the address as people write it. */
export async function listen(server: Server, address: ListenAddress): Promise<string> {
  if ("socketPath" in address) await clearSocket(address.socketPath);
  const umask = process.umask("socketPath" in address ? 0o117 : process.umask());
  try {
    const listening = once(server, "listening");
    server.listen("socketPath" in address ? { path: address.socketPath } : address);
    process.umask(umask); // the socket has been bound by now
    await listening;
  } catch (error) {
    throw explainListening(error, address);
  } finally {
    process.umask(umask);
  }
  if ("socketPath" in address) return `unix:${address.socketPath}`;
  const bound = server.address();
  const port = typeof bound === "object" && bound !== null ? bound.port : address.port;
  return address.host.includes(":") ? `[${address.host}]:${port}` : `${address.host}:${port}`;
}

/** A socket that a killed broker left is in the way; one that somebody listens on is not ours to take. */
async function clearSocket(path: string): Promise<void> {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (!stats) return;
  if (!stats.isSocket())
    throw new GhauthError(
      "config_invalid",
      `${path} exists and is no socket: give another path to --listen.`,
    );
  const socket = connect(path);
  try {
    await once(socket, "connect");
  } catch {
    rmSync(path, { force: true });
    return;
  } finally {
    socket.destroy();
  }
  throw new GhauthError("address_in_use", `Somebody listens on ${path} already: stop that first.`);
}

function explainListening(error: unknown, address: ListenAddress): GhauthError {
  const where = "socketPath" in address ? address.socketPath : `${address.host}:${address.port}`;
  if (errnoOf(error) === "EADDRINUSE")
    return new GhauthError("address_in_use", `Somebody listens on ${where} already: stop that first.`);
  return new GhauthError("config_invalid", `Listening on ${where} fails: ${messageOf(error)}.`, {
    cause: error,
  });
}

const drainMs = 10_000;
const idleCheckMs = 50;

/** Takes no more connections, lets what is running finish for 10 s, then cuts what is left. */
export async function closeGracefully(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
  const idle = setInterval(() => server.closeIdleConnections(), idleCheckMs);
  const cut = setTimeout(() => server.closeAllConnections(), drainMs);
  await closed;
  clearInterval(idle);
  clearTimeout(cut);
}
