import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { Server, Socket } from "node:net";

/** Where to listen: a port of 127.0.0.1 (0, the default, picks a free one) or a unix socket, plain or with TLS. */
export type ListenAddress = { port?: number; socketPath?: string; tls?: { key: string; cert: string } };

/** Any number of listeners that share one request handler. */
export type LoopbackListeners = {
  /** The base URL, or the unix socket's path; rejects when the address is taken. */
  listen(where: ListenAddress): Promise<string>;
  /** Ends listeners and connections, also those that wait for an answer. */
  close(): Promise<void>;
};

/** Listens on loopback only. */
export function createLoopbackListeners(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): LoopbackListeners {
  const servers = new Set<Server>();
  const sockets = new Set<Socket>();

  return {
    async listen({ port = 0, socketPath, tls }) {
      const server = tls === undefined ? createHttpServer(handle) : createHttpsServer(tls, handle);
      server.on("connection", (socket: Socket) => {
        sockets.add(socket);
        socket.once("close", () => sockets.delete(socket));
      });
      server.listen(socketPath === undefined ? { port, host: "127.0.0.1" } : { path: socketPath });
      await once(server, "listening");
      servers.add(server);
      return renderAddress(server, tls === undefined ? "http" : "https");
    },
    async close() {
      const closed = [...servers].map(async (server) => {
        server.close();
        await once(server, "close");
      });
      servers.clear();
      for (const socket of sockets) socket.destroy();
      await Promise.all(closed);
    },
  };
}

function renderAddress(server: Server, scheme: string): string {
  const address = server.address();
  if (typeof address === "string") return address;
  return `${scheme}://127.0.0.1:${address?.port}`;
}
