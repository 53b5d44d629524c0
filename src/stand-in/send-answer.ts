import type { ServerResponse } from "node:http";
import { epochSeconds, type Answer } from "./github-answers.js";
import type { Fault } from "./refusals.js";

/** The headers of every answer of GitHub's; `count` makes the request id. */
export function commonHeaders(now: Date, count: number): Record<string, string> {
  return {
    date: now.toUTCString(),
    server: "github.com",
    "content-type": "application/json; charset=utf-8",
    "x-github-media-type": "github.v3; format=json",
    "x-github-request-id": `C0DE:${count.toString(16).toUpperCase().padStart(8, "0")}`,
    "x-ratelimit-limit": "5000",
    "x-ratelimit-remaining": "4999",
    "x-ratelimit-used": "1",
    "x-ratelimit-reset": String(epochSeconds(now) + 3600),
    "x-ratelimit-resource": "core",
  };
}

/** Sends an answer, its own headers above the common ones; a string body goes out as it is. */
export function sendAnswer(
  response: ServerResponse,
  { status, headers = {}, body }: Answer,
  common: Record<string, string>,
): void {
  const text = typeof body === "string" ? body : (JSON.stringify(body) ?? "");
  const length = status === 204 ? {} : { "content-length": Buffer.byteLength(text) };
  response.writeHead(status, { ...common, ...length, ...headers });
  response.end(text);
}

/** Breaks the connection instead of answering; a stalled one stays open until the stand-in closes. */
export function breakConnection(
  response: ServerResponse,
  { fault }: Fault,
  common: Record<string, string>,
): void {
  const faults = {
    reset: () => response.destroy(),
    stall: () => {},
    cut: () => {
      response.writeHead(201, { ...common, "content-length": 1000 });
      response.write('{"token":"ghs_', () => response.destroy());
    },
  };
  faults[fault]();
}
