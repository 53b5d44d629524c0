import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import type { Scope } from "../github/scope.js";
import type { Clock } from "../system/clock.js";
import { refuse } from "./answer-error.js";
import type { Authenticate, Client } from "./clients.js";
import { lifeLeft } from "./held-token.js";
import type { Log } from "./log.js";
import type { Metrics } from "./metrics.js";
import { decideTarget } from "./policy.js";
import { parseRepository, parseTokenQuery } from "./query.js";
import { Refusal } from "./refusal.js";
import type { TokenService } from "./token-service.js";
import { renderScope } from "./token-target.js";

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
  name: string;
  query: readonly string[];
  /** Rejects where the client may not use this route; answers the repository that the path names, if it does. */
  enter: (client: Client, param: (name: string) => string) => { owner: string; name: string } | null;
};

const policyQuery = ["min_ttl", "permissions", "repositories"];

const tokenRoutes: TokenRoute[] = [
  {
    path: "/admin/github-installation-token",
    name: "admin",
    query: policyQuery,
    enter: ({ admin }) => {
      if (!admin) throw new Refusal(403, "The policy of this client does not make it an admin.");
      return null;
    },
  },
  {
    path: "/workspaces/:id/github-installation-token",
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
  let status = 200;
  let response: Response;
  let level: "info" | "warn" = "info";
  try {
    response = json(200, await serveToken(deps, route, { c, said }));
  } catch (thrown) {
    const asked =
      route.name === "repository" ? `${c.req.param("namespace")}/${c.req.param("repository")}` : null;
    const { refusal, error } = refuse(thrown, asked);
    ({ status } = refusal);
    if (status >= 500) level = "warn";
    said["code"] = error?.code;
    said["sentence"] = error?.message ?? refusal.message;
    response = json(status, { error: refusal.message }, refusalHeaders(refusal));
  }
  const ms = deps.clock.elapsedMs() - startedMs;
  deps.metrics.answered(route.name, status, ms);
  said["status"] = status;
  said["ms"] = Math.round(ms * 10) / 10;
  deps.log[level](said, "token");
  return response;
}

async function serveToken(
  { clock, authenticate, tokens, app, metrics }: ServerDeps,
  route: TokenRoute,
  { c, said }: { c: RouteContext; said: Said },
): Promise<object> {
  const { incoming } = c.env;
  const client = authenticate(incoming.headers.authorization);
  if (!client) throw new Refusal(401, "unknown bearer token");
  said["client"] = client.name;
  const repository = route.enter(client, (name) => c.req.param(name) ?? "");
  const query = parseTokenQuery(incoming.url ?? "", route.query);
  if (typeof tokens === "string") throw new Refusal(404, tokens);
  const repositories = repository ? [repository] : query.repositories;
  const target = decideTarget(client, { ...query, repositories }, app);
  said["scope"] = renderScope(target.scope);
  const { token, from } = await tokens.get(target, query.minTtlMs);
  metrics.served(from);
  said["from"] = from;
  said["sha256"] = token.fingerprint;
  said["expires_at"] = token.expiry ?? undefined;
  said["ttl_seconds"] = Math.floor(lifeLeft(token, clock.now()) / 1000);
  const expiry = { expires_at: token.expiry };
  return repository
    ? {
        namespace: repository.owner,
        repository: repository.name,
        access_token: token.secret.reveal(),
        ...expiry,
      }
    : { token: token.secret.reveal(), ...expiry };
}

function refusalHeaders({ status, retryAfterSeconds }: Refusal): Record<string, string> {
  if (status === 401) return { "www-authenticate": "Bearer" };
  return retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
}

function methodNotAllowed(allow: string): Response {
  return json(405, { error: "method not allowed" }, { allow });
}

/** Compact, since old clients cut it with sed. */
function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}
