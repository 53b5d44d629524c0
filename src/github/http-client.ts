import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { readFileSync } from "node:fs";
import { GhauthError, messageOf } from "../errors.js";
import { explainFailure } from "./http-failure.js";

export type HttpCall = {
  method: string;
  url: URL;
  headers: Record<string, string>;
  body?: string | undefined;
};
export type HttpAnswer = { status: number; headers: IncomingHttpHeaders; text: string };

/** Rejects with `github_unreachable` (network), `github_unavailable` (an answer too large or cut) or `tls_untrusted`. */
export type HttpRequest = (call: HttpCall) => Promise<HttpAnswer>;

const largestAnswer = 1_048_576;

export type HttpClientOptions = {
  timeLeftMs: () => number;
  /** A file of certificates to trust beside Node's own. */
  extraCaFile?: string | null;
  connectTimeoutMs?: number;
  answerTimeoutMs?: number;
};

const defaults = { extraCaFile: null, connectTimeoutMs: 10_000, answerTimeoutMs: 20_000 };

/**
 * A client on node:http and node:https (global fetch takes 100 ms to load). It keeps one connection for the calls
 * of a run; `timeLeftMs` bounds each call; `HTTPS_PROXY` and `NO_PROXY` are honoured.
 */
export function createHttpClient(options: HttpClientOptions): {
  request: HttpRequest;
  /** Loads what a call to this URL will need, while something else is waited for. */
  prepare: (url: URL) => void;
  close: () => void;
} {
  const { timeLeftMs, extraCaFile, connectTimeoutMs, answerTimeoutMs } = { ...defaults, ...options };
  const routes = new Map<string, Promise<Route>>();

  const routeTo = (url: URL): Promise<Route> => {
    const route = routes.get(url.origin) ?? findRoute(url, extraCaFile);
    routes.set(url.origin, route);
    return route;
  };

  const request: HttpRequest = async (call) => {
    const { request: open } = await loadTransport(call.url);
    const route = await routeTo(call.url);
    const limitMs = Math.max(1, Math.min(answerTimeoutMs, Math.ceil(timeLeftMs())));
    // A timer of our own, and no async iteration of the answer: Node's abort signals and iterators are slow to load.
    const late = new GhauthError(
      "github_unreachable",
      `${call.url.host} gave no answer in ${seconds(limitMs)}.`,
    );
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<HttpAnswer>((resolve, reject) => {
        const { method, headers, body } = call;
        const outgoing = open(call.url, { method, ...route, headers: { ...headers, ...bodyHeaders(body) } });
        timer = setTimeout(() => outgoing.destroy(late), limitMs);
        outgoing.on("error", reject);
        outgoing.once("response", (incoming) => {
          const { statusCode: status = 0, headers: answered } = incoming;
          readText(incoming, (error, text) => {
            if (error) reject(outgoing.errored ?? error);
            else resolve({ status, headers: answered, text });
          });
        });
        boundConnecting(outgoing, connectTimeoutMs);
        outgoing.end(body);
      });
    } catch (error) {
      throw error === late ? late : explainFailure(call.url, error);
    } finally {
      clearTimeout(timer);
    }
  };

  return {
    request,
    prepare: (url) => {
      routeTo(url).catch(() => {}); // the call itself will say so
    },
    close: () => {
      for (const route of routes.values()) {
        route.then(
          ({ agent }) => agent.destroy(),
          () => {}, // whoever asked for it was told
        );
      }
    },
  };
}

async function loadTransport(url: URL) {
  return url.protocol === "https:" ? import("node:https") : import("node:http");
}

/** How a URL is reached; `ca` goes with each request, for a proxy's agent would apply its own to the proxy alone. */
type Route = { agent: Agent; ca?: string[] };

async function findRoute(url: URL, extraCaFile: string | null): Promise<Route> {
  const agent = await createAgent(url);
  return extraCaFile === null || url.protocol !== "https:"
    ? { agent }
    : { agent, ca: await readTrusted(extraCaFile) };
}

async function createAgent(url: URL): Promise<Agent> {
  const proxy = await findProxy(url);
  if (proxy) {
    const { HttpsProxyAgent } = await import("https-proxy-agent");
    return new HttpsProxyAgent(proxy, { keepAlive: true });
  }
  const { Agent } = await loadTransport(url);
  return new Agent({ keepAlive: true });
}

async function readTrusted(extraCaFile: string): Promise<string[]> {
  const { rootCertificates } = await import("node:tls");
  try {
    return [...rootCertificates, readFileSync(extraCaFile, "utf8")];
  } catch (error) {
    throw new GhauthError(
      "config_invalid",
      `NODE_EXTRA_CA_CERTS ${extraCaFile} cannot be read: ${messageOf(error)}.`,
      { cause: error },
    );
  }
}

async function findProxy(url: URL): Promise<string> {
  const hasProxy = Object.keys(process.env).some((name) => /^(?:https?|all)_proxy$/i.test(name));
  if (!hasProxy) return "";
  const { getProxyForUrl } = await import("proxy-from-env");
  const proxy = getProxyForUrl(url.href);
  if (proxy === "" || (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol))) return proxy;
  throw new GhauthError("config_invalid", "HTTPS_PROXY must be a URL, as in http://proxy.example.com:3128.");
}

function bodyHeaders(body: string | undefined): Record<string, string> {
  if (body === undefined) return {};
  return { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) };
}

function boundConnecting(outgoing: ClientRequest, limitMs: number): void {
  outgoing.once("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => {
      socket.destroy(Object.assign(new Error("connecting took too long"), { code: "ETIMEDOUT" }));
    }, limitMs);
    socket.once("connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
  });
}

function readText(incoming: IncomingMessage, done: (error: Error | null, text: string) => void): void {
  const chunks: Buffer[] = [];
  let length = 0;
  incoming.on("data", (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length > largestAnswer) {
      incoming.destroy(Object.assign(new Error("its answer is over 1 MB"), { code: "EMSGSIZE" }));
    }
  });
  incoming.once("end", () => done(null, Buffer.concat(chunks).toString("utf8")));
  incoming.once("error", (error) => done(error, ""));
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
