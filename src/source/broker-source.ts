import { GhauthError, toGhauthError } from "../errors.js";
import { retryAfterOf } from "../github/explain.js";
import { isObject, parseDate, parseJson } from "../files/json.js";
import type { HttpAnswer, HttpRequest } from "../github/http-client.js";
import { nameOf, type SettingNames } from "../github/operator-names.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";
import { readBearerFile } from "./bearer-file.js";
import type { BrokerSourceConfig } from "./source-config.js";
import { readToken } from "./token-answer.js";
import type { ConfiguredSource, SourceDeps } from "./token-source.js";

/** A token that lasts until the timer's next tick. */
const minTtlSeconds = 3000;

/** Asks a token broker, with the bearer token from a file; `expires_at` is put on this host's clock by the answer's `Date`. */
export function createBrokerSource(
  { http, clock: { now } }: Pick<SourceDeps, "http" | "clock">,
  config: BrokerSourceConfig,
): ConfiguredSource {
  const bearer = readBearerFile(config.bearerFile);
  const address = addressOf(config);

  return {
    obtain: async (refused) => {
      const askedAt = now();
      const answer = await askAbout(refused, async (at) => ask(http, at, bearer), address);
      if (answer.status !== 200) throw explainBroker(answer, { address, bearer, names: config.names });
      const token = readToken(answer.text);
      if (!token) {
        throw new GhauthError("source_unavailable", `The broker ${address.host} answered without a token.`);
      }
      const date = parseDate(answer.headers.date);
      if (!date || !token.expiresAt) return token;
      const clockOffsetMs = date.getTime() - askedAt.getTime();
      return { ...token, expiresAt: new Date(token.expiresAt.getTime() - clockOffsetMs), clockOffsetMs };
    },
    check: async () => {
      const readiness = await ask(http, new URL(`${baseOf(config)}/readyz`), null);
      const state = memberOf(parseJson(readiness.text), "status");
      if (state === "not ready") {
        const reason = memberOf(parseJson(readiness.text), "error");
        throw new GhauthError("source_unavailable", `The broker ${address.host} is not ready: ${reason}.`);
      }
      // Another's broker might give a token, or mint one, for a question that ours refuses.
      const refusal = state === "ready" ? await ask(http, unanswerable(address), bearer) : null;
      if (refusal && [401, 403, 404].includes(refusal.status))
        throw explainBroker(refusal, { address, bearer, names: config.names });
      const works = `the broker ${address.host} ${refusal ? "is ready and knows this host" : "answers"}`;
      const { permissions } = config.scope;
      const isNarrowed = Object.keys(permissions).length > 0;
      return { works, permissions: isNarrowed ? permissions : null, clockOffsetMs: null };
    },
  };
}

/** What a broker of ours refuses with 400, but only for a bearer token that may ask. */
function unanswerable(address: URL): URL {
  const url = new URL(address);
  url.searchParams.set("min_ttl", "check");
  return url;
}

/** A broker that keeps tokens is told of one that GitHub refused, so that it tries it; an older one does not know how to. */
async function askAbout(
  refused: Secret | undefined,
  askAt: (url: URL) => Promise<HttpAnswer>,
  address: URL,
): Promise<HttpAnswer> {
  if (!refused) return askAt(address);
  const url = new URL(address);
  url.searchParams.set("refused", refused.sha256.slice(0, 16));
  const answer = await askAt(url);
  const isUnknown = answer.status === 400 && /\brefused\b/.test(memberOf(parseJson(answer.text), "error"));
  return isUnknown ? askAt(address) : answer;
}

/** The question: a token until the next tick, of the scope that this host is set to, else of all that it may have. */
function addressOf({ url, workspace, scope }: BrokerSourceConfig): URL {
  const route = workspace === null ? "/admin" : `/workspaces/${encodeURIComponent(workspace)}`;
  const address = new URL(`${baseOf({ url })}${route}/github-installation-token`);
  address.searchParams.set("min_ttl", String(minTtlSeconds));
  const repositories = scope.repositories.map((name) => `${scope.owner}/${name}`);
  const permissions = Object.entries(scope.permissions).map(([name, level]) => `${name}:${level}`);
  if (repositories.length > 0) address.searchParams.set("repositories", repositories.join(","));
  if (permissions.length > 0) address.searchParams.set("permissions", permissions.join(","));
  return address;
}

function baseOf({ url }: Pick<BrokerSourceConfig, "url">): string {
  return url.href.replace(/\/+$/, "");
}

async function ask(http: HttpRequest, url: URL, bearer: Secret | null): Promise<HttpAnswer> {
  const headers = {
    accept: "application/json",
    ...(bearer && { authorization: `Bearer ${bearer.reveal()}` }),
    "user-agent": "takopi-ghauth",
  };
  try {
    return await http({ method: "GET", url, headers });
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (!error.traits.isUnanswered) throw error;
    throw new GhauthError("source_unavailable", `The broker has no answer: ${error.message}`, {
      cause: error,
    });
  }
}

const refusals: Record<number, (names: SettingNames) => string> = {
  400: () => "does not understand the request",
  401: () =>
    "does not know this host's bearer token: add the client there again, and put its token into GHAUTH_BROKER_TOKEN_FILE",
  403: (names) =>
    `does not allow this host that token: widen the client's policy there, or ask for less in ${nameOf("GITHUB_APP_REPOSITORIES", names)} and GITHUB_APP_PERMISSIONS`,
  404: () => "has no GitHub App configured, or GHAUTH_BROKER_URL is not its base URL",
  405: () => "does not know this request: GHAUTH_BROKER_URL is not its base URL",
};

function explainBroker(
  { status, headers, text }: HttpAnswer,
  { address: { host }, bearer, names }: { address: URL; bearer: Secret; names: SettingNames },
): GhauthError {
  const said = redact(memberOf(parseJson(text), "error"), [bearer]).slice(0, 200);
  const words = said === "" ? "" : ` (${said})`;
  const refusal = refusals[status]?.(names);
  if (refusal !== undefined)
    return new GhauthError("source_refused", `The broker ${host} ${refusal}${words}.`);
  return new GhauthError(
    "source_unavailable",
    `The broker ${host} has no token now: HTTP ${status}${words}.`,
    retryAfterOf({ headers, date: parseDate(headers.date) }),
  );
}

/** A member of an answer that is text; empty where there is none. */
function memberOf(json: unknown, name: string): string {
  const value = isObject(json) ? json[name] : undefined;
  return typeof value === "string" ? value : "";
}
