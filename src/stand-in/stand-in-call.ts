import type { IncomingMessage } from "node:http";

/** A request as the routes see it; `path` is free of Enterprise Server's prefix and of the query. */
export type Call = {
  method: string;
  path: string;
  query: URLSearchParams;
  authorization: string | undefined;
  body: string;
  /** The stand-in's own base URL, as this client reached it. */
  apiUrl: string;
};

// Enterprise Server has its REST API below /api/v3 and GraphQL at /api/graphql.
const enterprisePrefix = /^\/api(?:\/v3(?=\/|$)|(?=\/graphql$))/;

/** What a client asked. */
export function readCall(
  { method = "GET", url = "/", headers, socket }: IncomingMessage,
  body: string,
): Call {
  const origin = `${"encrypted" in socket ? "https" : "http"}://${headers.host ?? "localhost"}`;
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const prefix = enterprisePrefix.exec(pathname)?.[0] ?? "";
  return {
    method,
    path: pathname.slice(prefix.length) || "/",
    query: searchParams,
    authorization: headers.authorization,
    body,
    apiUrl: `${origin}${prefix}`,
  };
}
