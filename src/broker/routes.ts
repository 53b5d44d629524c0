import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import { type AnswerDeps, conclude, describeToken, jsonHeaders, renderToken, type Said } from "./answer.js";
import type { Authenticate } from "./clients.js";
import { secondsLeft } from "./held-token.js";
import { type QuestionDeps, readQuestion, type TokenRoute, tokenRoutes } from "./question.js";
import { Refusal, refuse } from "./refusal.js";

export type RoutesDeps = AnswerDeps &
  QuestionDeps & {
    authenticate: Authenticate;
    /** What /readyz says beside, of the shared store; null is nothing. */
    storeState: () => string | null;
  };

type Env = { Bindings: HttpBindings };
type RouteContext = Context<Env>;

/** The broker's routes: Request -> Response. */
export function createRoutes(deps: RoutesDeps): Hono<Env> {
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
    const { refusal, error } = refuse(thrown);
    deps.log.error("request.failed", { code: error?.code, sentence: error?.message });
    return json(refusal.status, { error: refusal.message });
  });
  return server;
}

const openRoutes: Record<string, (deps: RoutesDeps) => Promise<Response>> = {
  "/api/health": async () => json(200, { status: "ok" }),
  "/healthz": async () => json(200, { status: "ok" }),
  "/readyz": answerReadiness,
  "/metrics": async ({ metrics, tokens, clock }) => {
    const live = typeof tokens === "string" ? [] : tokens.live();
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.render(live, clock.now()), { headers });
  },
};

async function answerReadiness({ tokens, storeState }: RoutesDeps): Promise<Response> {
  const store = storeState();
  const beside = store === null ? {} : { store };
  if (typeof tokens === "string") return json(503, { status: "not ready", error: tokens, ...beside });
  try {
    await tokens.check();
    return json(200, { status: "ready", ...beside });
  } catch (thrown) {
    const { refusal } = refuse(thrown);
    return json(503, { status: "not ready", error: refusal.message, ...beside });
  }
}

async function answerToken(deps: RoutesDeps, route: TokenRoute, c: RouteContext): Promise<Response> {
  const startedMs = deps.clock.elapsedMs();
  const { incoming } = c.env;
  const param = (name: string) => c.req.param(name) ?? "";
  const said: Said = { route: route.name };
  const concluded = (event: string, status: number) =>
    deps.log[status >= 500 ? "warn" : "info"](event, {
      ...said,
      ...conclude(deps, { route: route.name, status, startedMs }),
    });
  try {
    const client = deps.authenticate(incoming.headers.authorization);
    if (!client) throw new Refusal(401, "unknown bearer token");
    said["client"] = client.name;
    const question = readQuestion(deps, route, { client, url: incoming.url ?? "", param });
    said["scope"] = question.scope;
    const { token, from } = await question.tokens.get(question.target, question.minTtlMs);
    deps.metrics.served(from);
    Object.assign(said, describeToken(token, from), { ttl_seconds: secondsLeft(token, deps.clock.now()) });
    concluded("token.served", 200);
    return new Response(renderToken(token, question), { headers: jsonHeaders });
  } catch (thrown) {
    const { refusal, error } = refuse(thrown, {
      repository: route.name === "repository" ? `${param("namespace")}/${param("repository")}` : null,
      permissions: c.req.query("permissions") !== undefined,
    });
    Object.assign(said, { code: error?.code, sentence: error?.message ?? refusal.message });
    concluded("token.refused", refusal.status);
    return json(refusal.status, { error: refusal.message }, refusalHeaders(refusal));
  }
}

function refusalHeaders({ status, retryAfterSeconds }: Refusal): Record<string, string> {
  if (status === 401) return { "www-authenticate": "Bearer" };
  return retryAfterSeconds === null ? {} : { "retry-after": String(retryAfterSeconds) };
}

function methodNotAllowed(allow: string): Response {
  return json(405, { error: "method not allowed" }, { allow });
}

function json(status: number, body: object, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...jsonHeaders, ...headers },
  });
}
