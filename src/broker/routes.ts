import type { IncomingMessage } from "node:http";
import type { HttpBindings } from "@hono/node-server";
import { type Context, Hono } from "hono";
import {
  type AnswerDeps,
  conclude,
  describeToken,
  jsonHeaders,
  renderToken,
  type Said,
} from "./describe-answer.js";
import type { Client } from "./clients.js";
import { secondsLeft } from "./held-token.js";
import { type Question, type QuestionDeps, readQuestion, type TokenRoute, tokenRoutes } from "./question.js";
import { type ClientLimit, createRefusalLimits } from "./refusal-limit.js";
import { Refusal, refuse } from "./refusal.js";
import type { ServedToken } from "./token-cache.js";

export type RoutesDeps = AnswerDeps &
  QuestionDeps & {
    /** Who asks; undefined for somebody unknown. */
    authenticate: (request: IncomingMessage) => Client | undefined;
    /** What /readyz says beside, of the shared store; null is nothing. */
    storeState: () => string | null;
  };

type Env = { Bindings: HttpBindings };
type RouteContext = Context<Env>;

/** The broker's routes: Request -> Response. */
export function createRoutes(deps: RoutesDeps): Hono<Env> {
  const server = new Hono<Env>();
  const limitOf = createRefusalLimits(deps.clock);
  for (const route of tokenRoutes) {
    server.get(route.path, async (c) =>
      c.env.incoming.method === "HEAD"
        ? methodNotAllowed("GET")
        : answerToken({ ...deps, limitOf }, route, c),
    );
    server.all(route.path, () => methodNotAllowed("GET"));
  }
  for (const [path, answer] of Object.entries(openRoutes)) {
    server.get(path, async () => answer(deps));
    server.all(path, () => methodNotAllowed("GET, HEAD"));
  }
  server.notFound(() => json(404, { error: "not found" }));
  server.onError((thrown) => {
    const refusal = refuse(thrown);
    deps.log.error("request.failed", describeRefusal(refusal));
    return json(refusal.status, { error: refusal.message });
  });
  return server;
}

const openRoutes: Record<string, (deps: RoutesDeps) => Promise<Response>> = {
  // tokman says it by `message`.
  "/api/health": async () => json(200, { status: "ok", message: "ok" }),
  "/healthz": async () => json(200, { status: "ok" }),
  "/readyz": answerReadiness,
  "/metrics": async ({ metrics, tokens, clock }) => {
    const live = typeof tokens === "string" ? [] : tokens.live();
    const headers = { "content-type": metrics.contentType, "cache-control": "no-store" };
    return new Response(await metrics.render(live, clock.now()), { headers });
  },
};

/** Whoever asks here is nobody we know: each answer is made of our own fixed words. */
async function answerReadiness({ tokens, storeState }: RoutesDeps): Promise<Response> {
  const store = storeState();
  const beside = store === null ? {} : { store };
  if (typeof tokens === "string") return json(503, { status: "not ready", error: tokens, ...beside });
  try {
    await tokens.check();
    return json(200, { status: "ready", ...beside });
  } catch (thrown) {
    return json(503, { status: "not ready", error: refuse(thrown).message, ...beside });
  }
}

type TokenDeps = RoutesDeps & { limitOf: (client: string) => ClientLimit };

async function answerToken(deps: TokenDeps, route: TokenRoute, c: RouteContext): Promise<Response> {
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
    const client = deps.authenticate(incoming);
    if (!client) throw new Refusal(401, "unknown bearer token");
    said["client"] = client.name;
    const limit = deps.limitOf(client.name);
    const question = limit.read(() => readQuestion(deps, route, { client, url: incoming.url ?? "", param }));
    said["scope"] = question.scope;
    const { token, from } = await getToken(question, limit);
    deps.metrics.served(from);
    Object.assign(said, describeToken(token, from), { ttl_seconds: secondsLeft(token, deps.clock.now()) });
    concluded("token.served", 200);
    return new Response(renderToken(token, question), { headers: jsonHeaders });
  } catch (thrown) {
    const refusal = refuse(thrown);
    Object.assign(said, describeRefusal(refusal));
    concluded("token.refused", refusal.status);
    return json(refusal.status, { error: refusal.message }, refusalHeaders(refusal));
  }
}

async function getToken(
  { tokens, target, wanted, asked }: Question,
  limit: ClientLimit,
): Promise<ServedToken> {
  const held = tokens.peek(target, wanted);
  if (held) return held;
  return limit.ask(async () => {
    try {
      return await tokens.get(target, wanted);
    } catch (thrown) {
      throw refuse(thrown, asked);
    }
  });
}

/** The log has what the client is not told. */
function describeRefusal({ error, message }: Refusal): Said {
  return { code: error?.code, sentence: error?.message ?? message };
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
