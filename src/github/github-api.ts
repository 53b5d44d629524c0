import type { IncomingHttpHeaders } from "node:http";
import { parseDate, parseJson } from "../files/json.js";
import type { Secret } from "../token/secret.js";
import type { HttpAnswer, HttpCall, HttpRequest } from "./http-client.js";

/** GitHub's answer: `json` is undefined where the body is not JSON, `date` its own clock as it answered. */
export type GitHubAnswer = { status: number; headers: IncomingHttpHeaders; json: unknown; date: Date | null };

export type GitHubCall = {
  method: "GET" | "POST" | "DELETE";
  path: string;
  authorization: Secret;
  body?: unknown;
};

/** Sends one call; any status is an answer. Rejects as an HttpRequest does. */
export type GitHubRequest = (call: GitHubCall) => Promise<GitHubAnswer>;

/** GitHub's REST API at `apiUrl`: `https://api.github.com`, or an Enterprise Server's `https://HOST/api/v3`. */
export function createGitHubRequest(http: HttpRequest, apiUrl: URL): GitHubRequest {
  const base = apiUrl.href.replace(/\/+$/, "");
  return async ({ method, path, authorization, body }) => {
    const call: HttpCall = {
      method,
      url: new URL(base + path),
      headers: {
        accept: "application/vnd.github+json",
        authorization: `Bearer ${authorization.reveal()}`,
        "user-agent": "takopi-ghauth", // GitHub answers 403 to a request without one
        "x-github-api-version": "2022-11-28",
      },
      body: body === undefined ? undefined : JSON.stringify(body),
    };
    const { status, headers, text } = await followRedirect(http, call);
    return { status, headers, json: parseJson(text), date: parseDate(headers.date) };
  };
}

/** A renamed repository answers with a redirect: followed once, and on the same origin only, for the JWT goes along. */
async function followRedirect(http: HttpRequest, call: HttpCall): Promise<HttpAnswer> {
  const answer = await http(call);
  const { location } = answer.headers;
  if (call.method !== "GET" || location === undefined || ![301, 302, 307, 308].includes(answer.status)) {
    return answer;
  }
  if (!URL.canParse(location, call.url.href)) return answer;
  const url = new URL(location, call.url);
  return url.origin === call.url.origin ? http({ ...call, url }) : answer;
}
