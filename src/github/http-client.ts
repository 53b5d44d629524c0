import type { Agent, ClientRequest, IncomingHttpHeaders, IncomingMessage } from "node:http";
import { readFileSync } from "node:fs";
import { errnoOf, GhauthError, messageOf } from "../errors.js";

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
  const agents = new Map<string, Promise<Agent>>();

  const agentFor = (url: URL): Promise<Agent> => {
    const agent = agents.get(url.origin) ?? createAgent(url, extraCaFile);
    agents.set(url.origin, agent);
    return agent;
  };

  const request: HttpRequest = async (call) => {
    const { request: open } = await loadTransport(call.url);
    const agent = await agentFor(call.url);
    const limitMs = Math.max(1, Math.min(answerTimeoutMs, Math.ceil(timeLeftMs())));
    const signal = AbortSignal.timeout(limitMs);
    try {
      return await new Promise<HttpAnswer>((resolve, reject) => {
        const { method, headers, body } = call;
        const outgoing = open(call.url, {
          method,
          agent,
          signal,
          headers: { ...headers, ...bodyHeaders(body) },
        });
        outgoing.on("error", reject);
        outgoing.once("response", (incoming) => {
          readText(incoming).then(
            (text) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text }),
            reject,
          );
        });
        boundConnecting(outgoing, connectTimeoutMs);
        outgoing.end(body);
      });
    } catch (error) {
      throw explainFailure(call.url, signal.aborted ? `gave no answer in ${seconds(limitMs)}` : error);
    }
  };

  return {
    request,
    prepare: (url) => {
      agentFor(url).catch(() => {}); // the call itself will say so
    },
    close: () => {
      for (const agent of agents.values()) {
        agent.then(
          (open) => open.destroy(),
          () => {}, // whoever asked for it was told
        );
      }
    },
  };
}

async function loadTransport(url: URL) {
  return url.protocol === "https:" ? import("node:https") : import("node:http");
}

async function createAgent(url: URL, extraCaFile: string | null): Promise<Agent> {
  const options = {
    keepAlive: true,
    ...(extraCaFile !== null && url.protocol === "https:" && { ca: await readTrusted(extraCaFile) }),
  };
  const proxy = await findProxy(url);
  if (proxy) {
    const { HttpsProxyAgent } = await import("https-proxy-agent");
    return new HttpsProxyAgent(proxy, options);
  }
  const { Agent } = await loadTransport(url);
  return new Agent(options);
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

async function readText(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > largestAnswer)
      throw Object.assign(new Error("its answer is over 1 MB"), { code: "EMSGSIZE" });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

const networkFailures: Record<string, string> = {
  ENOTFOUND: "its name does not resolve",
  EAI_AGAIN: "its name cannot be resolved now",
  ECONNREFUSED: "it refuses connections",
  ECONNRESET: "the connection was cut",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "connecting takes too long",
  ENETUNREACH: "the network is unreachable",
  EHOSTUNREACH: "the host is unreachable",
  EPROTO: "it does not speak TLS",
};

const untrusted =
  /^(?:CERT_|ERR_TLS_CERT|DEPTH_ZERO_SELF_SIGNED|SELF_SIGNED_CERT|UNABLE_TO_(?:VERIFY|GET_ISSUER))/;

function explainFailure(url: URL, failure: unknown): GhauthError {
  const more = typeof failure === "string" ? {} : { cause: failure };
  if (typeof failure === "string")
    return new GhauthError("github_unreachable", `${url.host} ${failure}.`, more);
  const errno = errnoOf(failure) ?? "";
  if (untrusted.test(errno)) {
    const advice = /EXPIRED|NOT_YET_VALID/.test(errno)
      ? "set this host's clock if it is wrong (timedatectl), else renew the certificate there"
      : "check the address, and give a private CA in NODE_EXTRA_CA_CERTS";
    return new GhauthError(
      "tls_untrusted",
      `The certificate of ${url.host} is not trusted (${errno}): ${advice}.`,
      more,
    );
  }
  if (errno === "EMSGSIZE" || errno.startsWith("HPE_")) {
    return new GhauthError(
      "github_unavailable",
      `${url.host} sent something that is no answer: ${messageOf(failure)}.`,
      more,
    );
  }
  const known = networkFailures[errno.startsWith("ERR_SSL_") ? "EPROTO" : errno];
  const reason = known ?? messageOf(failure);
  return new GhauthError("github_unreachable", `${url.host} cannot be reached: ${reason}.`, more);
}

function seconds(ms: number): string {
  return `${Math.round(ms / 100) / 10} s`;
}
