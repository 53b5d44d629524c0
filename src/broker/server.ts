import type { IncomingMessage, ServerResponse } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Scope } from "../github/scope.js";
import type { Clock } from "../system/clock.js";
import { redact } from "../token/secret.js";
import { refuse } from "./answer-error.js";
import type { Authenticate, Client } from "./clients.js";
import { lifeLeft } from "./held-token.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { decideTarget } from "./policy.js";
import { parseRepository, parseTokenQuery, type Repository } from "./query.js";
import { Refusal } from "./refusal.js";
import type { ServedToken } from "./token-cache.js";
import type { TokenService } from "./token-service.js";
import { renderScope, type TokenTarget } from "./token-target.js";

export type ServerDeps = {
  clock: Clock;
  log: Log;
  metrics: Metrics;
  authenticate: Authenticate;
  /** The tokens, or why there can't be any: DESIGN's two sentences of 404. */
  tokens: TokenService | "no GitHub App configured" | "no token provider registered";
  app: Scope;
  /** What /readyz says beside, of the shared store; null is nothing. */
  storeState: () => string | null;
};

type Env = { Bindings: HttpBindings };
type RouteContext = Context<Env>;

/** One route that serves a token. */
type TokenRoute = {
  path: string;
  /** The same path where nothing in it is encoded. */
  pattern: RegExp;
  name: string;
  query: readonly string[];
  /** Rejects where the client may not use this route; answers the repository that the path names, if it does. */
  enter: (client: Client, param: (name: string) => string) => Repository | null;
};

const policyQuery = ["min_ttl", "permissions", "repositories"];

const tokenRoutes: TokenRoute[] = [
  {
    path: "/admin/github-installation-token",
    pattern: /^(?<admin>\/admin)\/github-installation-token$/,
    name: "admin",
    query: policyQuery,
    enter: ({ admin }) => {
      if (!admin) throw new Refusal(403, "The policy of this client does not make it an admin.");
      return null;
    },
  },
  {
    path: "/workspaces/:id/github-installation-token",
    pattern: /^\/workspaces\/(?<id>[^/%]+)\/github-installation-token$/,
    name: "workspace",
    query: policyQuery,
    enter: ({ workspaces }, param) => {
      if (workspaces !== "*" && !workspaces.includes(param("id")))
        throw new Refusal(403, "The policy of this client does not allow this workspace.");
      return null;
    },
  },
  {
    path: "/api/:namespace/:repository",
    pattern: /^\/api\/(?<namespace>[^/%]+)\/(?<repository>[^/%]+)$/,
    name: "repository",
    query: ["min_ttl", "permissions"],
    enter: (_, param) => {
      const repository = parseRepository(`${param("namespace")}/${param("repository")}`);
      if (!repository) throw new Refusal(400, "The path must end in an owner and a repository.");
      return repository;
    },
  },
];

/** The broker's routes (DESIGN 4.6): Request -> Response. */
export function createServer(deps: ServerDeps): Hono<Env> {
  const server = new Hono<Env>();
  for (const route of tokenRoutes) {
    server.get(route.path, async (c) =>
      c.env.incoming.method === "HEAD" ? methodNotAllowed("GET") : answerToken(deps, route, c),
    );
    server.all(route.path, () => methodNotAllowed("GET"));
  }
  for (const [path, answer] of Object.entries(openRoutes)) {
    server.get(path, async () => answer(deps));
    server.all(path, () => methodNotAllowed("GET, HEAD"));
  }
  server.notFound(() => json(404, { error: "not found" }));
  server.onError((thrown) => {
    const { refusal, error } = refuse(thrown, null);
    deps.log.error({ code: error?.code, sentence: error?.message }, "failed");
    return json(refusal.status, { error: refusal.message });
  });
  return server;
}

const openRoutes: Record<string, (deps: ServerDeps) => Promise<Response>> = {
  "/api/health": async () => json(200, { status: "ok" }),
  "/healthz": async () => json(200, { status: "ok" }),
  "/readyz": answerReadiness,
  "/metrics": async ({ metrics, tokens, clock }) => {
    const live = typeof tokens === "string" ? [] : tokens.live();
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.render(live, clock.now()), { headers });
  },
};

async function answerReadiness({ tokens, storeState }: ServerDeps): Promise<Response> {
  const store = storeState();
  const beside = store === null ? {} : { store };
  if (typeof tokens === "string") return json(503, { status: "not ready", error: tokens, ...beside });
  try {
    await tokens.check();
    return json(200, { status: "ready", ...beside });
  } catch (thrown) {
    const { refusal } = refuse(thrown, null);
    return json(503, { status: "not ready", error: refusal.message, ...beside });
  }
}

/** What the log says of a request. */
type Said = Record<string, string | number | undefined>;

async function answerToken(deps: ServerDeps, route: TokenRoute, c: RouteContext): Promise<Response> {
  const startedMs = deps.clock.elapsedMs();
  const said: Said = { route: route.name };
  const param = (name: string) => c.req.param(name) ?? "";
  try {
    const question = readQuestion(deps, route, { incoming: c.env.incoming, param, said });
    const served = await question.tokens.get(question.target, question.minTtlMs);
    const body = renderServed(deps, served, { ...question, said });
    conclude(deps, said, { status: 200, startedMs });
    return new Response(body, { headers: jsonHeaders });
  } catch (thrown) {
    const asked = route.name === "repository" ? `${param("namespace")}/${param("repository")}` : null;
    const { refusal, error } = refuse(thrown, asked);
    said["code"] = error?.code;
    said["sentence"] = redact(error?.message ?? refusal.message);
    conclude(deps, said, { status: refusal.status, startedMs });
    return json(refusal.status, { error: refusal.message }, refusalHeaders(refusal));
  }
}

/** What a request comes to, before anybody is asked for a token. */
type Question = {
  tokens: TokenService;
  target: TokenTarget;
  minTtlMs: number;
  repository: Repository | null;
};

function readQuestion(
  { authenticate, tokens, app }: ServerDeps,
  route: TokenRoute,
  { incoming, param, said }: { incoming: IncomingMessage; param: (name: string) => string; said: Said },
): Question {
  const client = authenticate(incoming.headers.authorization);
  if (!client) throw new Refusal(401, "unknown bearer token");
  said["client"] = client.name;
  const repository = route.enter(client, param);
  const query = parseTokenQuery(incoming.url ?? "", route.query);
  if (typeof tokens === "string") throw new Refusal(404, tokens);
  const repositories = repository ? [repository] : query.repositories;
  const target = decideTarget(client, { ...query, repositories }, app);
  said["scope"] = renderScope(target.scope);
  return { tokens, target, minTtlMs: query.minTtlMs, repository };
}

/** The body of a 200; nothing in a token, a time or a name needs escaping. */
function renderServed(
  { clock, metrics }: ServerDeps,
  { token, from }: ServedToken,
  { repository, said }: { repository: Repository | null; said: Said },
): string {
  metrics.served(from);
  said["from"] = from;
  said["sha256"] = token.fingerprint;
  said["expires_at"] = token.expiry ?? undefined;
  said["ttl_seconds"] = Math.floor(lifeLeft(token, clock.now()) / 1000);
  const expiry = token.expiry === null ? "null" : `"${token.expiry}"`;
  const rest = `"${token.secret.reveal()}","expires_at":${expiry}}`;
  return repository
    ? `{"namespace":"${repository.owner}","repository":"${repository.name}","access_token":${rest}`
    : `{"token":${rest}`;
}

/**
 * Answers a request whose token is in the cache, without a turn of the event loop; false where there is more to do,
 * and then nothing was done. A router between costs as much as all of the rest.
 */
export function createQuickAnswer(
  deps: ServerDeps,
): (incoming: IncomingMessage, outgoing: ServerResponse) => boolean {
  return (incoming, outgoing) => {
    if (incoming.method !== "GET") return false;
    const startedMs = deps.clock.elapsedMs();
    const [path = ""] = (incoming.url ?? "").split("?", 1);
    for (const route of tokenRoutes) {
      const params = route.pattern.exec(path)?.groups;
      if (!params) continue;
      const said: Said = { route: route.name };
      let body: string;
      try {
        const question = readQuestion(deps, route, { incoming, param: (name) => params[name] ?? "", said });
        const served = question.tokens.peek(question.target, question.minTtlMs);
        if (!served) return false;
        body = renderServed(deps, served, { ...question, said });
      } catch {
        return false; // the routes refuse it, and log it
      }
      outgoing.writeHead(200, { ...jsonHeaders, "content-length": Buffer.byteLength(body) });
      outgoing.end(body);
      conclude(deps, said, { status: 200, startedMs });
      return true;
    }
    return false;
  };
}

function conclude(
  { clock, metrics, log }: ServerDeps,
  said: Said,
  { status, startedMs }: { status: number; startedMs: number },
): void {
  const ms = clock.elapsedMs() - startedMs;
  metrics.answered(String(said["route"]), status, ms);
  said["status"] = status;
  said["ms"] = Math.round(ms * 10) / 10;
  log[status >= 500 ? "warn" : "info"](said, "token");
}

function refusalHeaders({ status, retryAfterSeconds }: Refusal): Record<string, string> {
  if (status === 401) return { "www-authenticate": "Bearer" };
  return retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
}

function methodNotAllowed(allow: string): Response {
  return json(405, { error: "method not allowed" }, { allow });
}

const jsonHeaders = { "content-type": "application/json", "cache-control": "no-store" };

/** Compact, since old clients cut it with sed. */
function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...jsonHeaders, ...headers },
  });
}
