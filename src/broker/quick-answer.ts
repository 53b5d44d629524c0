import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { BusyLog } from "../log/log.js";
import { conclude, describeToken, jsonHeaders, renderToken } from "./describe-answer.js";
import type { Client } from "./clients.js";
import { type HeldToken, secondsLeft } from "./held-token.js";
import { createLruMap } from "./lru-map.js";
import { type Question, readQuestion, tokenRoutes } from "./question.js";
import type { RoutesDeps } from "./routes.js";

/** What one client gets for one URL, as long as neither its policy nor the token changes. */
type Prepared = {
  client: Client;
  question: Question;
  token: HeldToken;
  headers: OutgoingHttpHeaders;
  body: string;
  /** Its line in the log, but for what differs from one answer to the next. */
  logServed: ReturnType<BusyLog["prepare"]>;
};

const mostPrepared = 1000;
const longestUrl = 1000;

/**
 * Answers a request whose token is in the cache, without a turn of the event loop; false where there is more to do,
 * and then nothing was done. A router between costs as much as all of the rest.
 */
export function createQuickAnswer(
  deps: RoutesDeps,
): (incoming: IncomingMessage, outgoing: ServerResponse) => boolean {
  const { clock, metrics, authenticate } = deps;
  const prepared = createLruMap<Prepared>(mostPrepared);

  /** Throws where the question is refused; null where there is no token for it yet. */
  const prepare = (client: Client, url: string): Prepared | null => {
    const known = prepared.get(`${client.name} ${url}`);
    const question = known?.client === client ? known.question : questionOf(deps, client, url);
    const token = question?.tokens.peek(question.target, question.wanted)?.token;
    if (!question || !token) return null;
    if (known?.question === question && known.token === token) return known;
    const { route, scope } = question;
    const body = renderToken(token, question);
    const fresh = {
      client,
      question,
      token,
      headers: { ...jsonHeaders, "content-length": body.length },
      body,
      logServed: deps.log.prepare("token.served", {
        route,
        client: client.name,
        scope,
        ...describeToken(token, "cache"),
      }),
    };
    prepared.set(`${client.name} ${url}`, fresh);
    return fresh;
  };

  return (incoming, outgoing) => {
    const { method, url = "" } = incoming;
    if (method !== "GET" || url.length > longestUrl) return false;
    const startedMs = clock.elapsedMs();
    const client = authenticate(incoming);
    const answer = client && attempt(() => prepare(client, url));
    if (!answer) return false;
    const { question, token, headers: head, body, logServed } = answer;
    outgoing.writeHead(200, head);
    outgoing.end(body, "latin1"); // all of it is ASCII, which so is copied and not encoded
    metrics.served("cache");
    logServed({
      ttl_seconds: secondsLeft(token, clock.now()),
      ...conclude(deps, { route: question.route, status: 200, startedMs }),
    });
    return true;
  };
}

function questionOf(deps: RoutesDeps, client: Client, url: string): Question | null {
  const [path = ""] = url.split("?", 1);
  for (const route of tokenRoutes) {
    const params = route.pattern.exec(path)?.groups;
    if (params) return readQuestion(deps, route, { client, url, param: (name) => params[name] ?? "" });
  }
  return null;
}

/** Null for what is refused: the routes refuse it again, and log it. */
function attempt<T>(prepare: () => T): T | null {
  try {
    return prepare();
  } catch {
    return null;
  }
}
