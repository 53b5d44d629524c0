import type { Server } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { createSignal, waitUntil } from "./wait-until.js";
import {
  applicationId,
  botUser,
  discordToken,
  guildId,
  guildShape,
  isJson,
  type Json,
} from "./discord-shapes.js";

type Session = { sequence: number; sent: { s: number; text: string }[] };

/** Discord's gateway, as far as a bot with the Guilds intent sees it: identify, resume, heartbeats, dispatches. */
export function createDiscordGateway(
  server: Server,
  { refuseWith }: { refuseWith?: number | undefined } = {},
) {
  const sockets = new WebSocketServer({ server, path: "/gateway" });
  const live = new Map<WebSocket, Session>();
  const sessions = new Map<string, Session>();
  const changes = createSignal();
  const seen: string[] = [];
  const problems: string[] = [];
  let closeNext = refuseWith;

  const dispatch = (session: Session, t: string, d: unknown) => {
    session.sequence++;
    const text = JSON.stringify({ op: 0, s: session.sequence, t, d });
    session.sent.push({ s: session.sequence, text });
    return text;
  };

  const identify = (socket: WebSocket, data: Json) => {
    seen.push("identify");
    if (closeNext !== undefined) return socket.close(closeNext);
    if (data["token"] !== discordToken) return socket.close(4004);
    if (data["intents"] !== 1) problems.push(`intents ${String(data["intents"])}`);
    const id = `session${sessions.size + 1}`;
    const session: Session = { sequence: 0, sent: [] };
    sessions.set(id, session);
    live.set(socket, session);
    changes.emit();
    const ready = {
      v: 10,
      user: { ...botUser, verified: true, mfa_enabled: false, email: null },
      guilds: [{ id: guildId, unavailable: true }],
      session_id: id,
      resume_gateway_url: gatewayUrl(server),
      shard: [0, 1],
      application: { id: applicationId, flags: 0 },
    };
    socket.send(dispatch(session, "READY", ready));
    socket.send(dispatch(session, "GUILD_CREATE", guildShape));
  };

  const resume = (socket: WebSocket, data: Json) => {
    seen.push("resume");
    const session = sessions.get(String(data["session_id"]));
    if (!session) return socket.send(JSON.stringify({ op: 9, d: false }));
    live.set(socket, session);
    changes.emit();
    for (const { s, text } of session.sent) if (s > Number(data["seq"])) socket.send(text);
    socket.send(dispatch(session, "RESUMED", {}));
  };

  sockets.on("connection", (socket, request) => {
    if (request.url?.includes("compress")) problems.push("compression was asked for");
    socket.on("error", () => {}); // a test may cut it
    socket.on("close", () => live.delete(socket));
    socket.on("message", (raw: Buffer) => {
      const message: unknown = JSON.parse(raw.toString("utf8"));
      if (!isJson(message)) return void problems.push("a message that is no object");
      const data = isJson(message["d"]) ? message["d"] : {};
      if (message["op"] === 1) return socket.send(JSON.stringify({ op: 11 }));
      if (message["op"] === 2) return identify(socket, data);
      if (message["op"] === 6) return resume(socket, data);
      if (message["op"] !== 3) problems.push(`op ${String(message["op"])}`);
    });
    socket.send(JSON.stringify({ op: 10, d: { heartbeat_interval: 41_250 } }));
  });

  return {
    seen,
    problems,
    untilConnected: async () => waitUntil({ signal: changes, problems }, () => live.size > 0),
    /** An event for every session, connected or not: who resumes gets what it missed. */
    send: (event: string, data: unknown) => {
      const texts = new Map(
        [...sessions.values()].map((session) => [session, dispatch(session, event, data)]),
      );
      for (const [socket, session] of live) socket.send(texts.get(session) ?? "");
    },
    /** Something that is no event. */
    sendRaw: (text: string) => {
      for (const socket of live.keys()) socket.send(text);
    },
    close: (code: number) => {
      for (const socket of live.keys()) socket.close(code);
      live.clear();
    },
    cut: () => {
      for (const socket of live.keys()) socket.terminate();
      live.clear();
    },
    refuseIdentifyWith: (code: number | undefined) => (closeNext = code),
  };
}

export function gatewayUrl(server: Server): string {
  const address = server.address();
  return `ws://127.0.0.1:${typeof address === "object" && address ? address.port : 0}/gateway`;
}
