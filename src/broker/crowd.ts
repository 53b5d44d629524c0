import type { Server, Socket } from "node:net";
import { systemClock } from "../system/clock.js";

/** `admit` is told of a connection on which somebody has authenticated. */
export type Crowd = { admit: (socket: Socket) => void };

const usualLimits = { crowdedAt: 1500, graceMs: 5000, checkMs: 1000 };

/**
 * Keeps a server open for those whom it knows: when more than `crowdedAt` connections are open, those on which nobody
 * has authenticated within `graceMs` are closed, the oldest first.
 */
export function thinCrowd(server: Server, limits: Partial<typeof usualLimits> = {}): Crowd {
  const { crowdedAt, graceMs, checkMs } = { ...usualLimits, ...limits };
  const open = new Set<Socket>();
  /** When each connection came that nobody has authenticated on, the oldest first. */
  const strangers = new Map<Socket, number>();

  const makeRoom = () => {
    const sinceMs = systemClock.elapsedMs() - graceMs;
    for (const [socket, cameAtMs] of strangers) {
      if (open.size <= crowdedAt || cameAtMs > sinceMs) return;
      leave(socket);
      socket.destroy();
    }
  };
  const leave = (socket: Socket) => {
    open.delete(socket);
    strangers.delete(socket);
  };

  server.on("connection", (socket) => {
    open.add(socket);
    strangers.set(socket, systemClock.elapsedMs());
    socket.once("close", () => leave(socket));
    makeRoom();
  });
  const timer = setInterval(makeRoom, checkMs);
  server.on("close", () => clearInterval(timer));
  return { admit: (socket) => void strangers.delete(socket) };
}
