import type { ClientRequest } from "node:http";
import { text } from "node:stream/consumers";
import { generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import {
  createGitHubStandIn,
  type GitHubStandIn,
  type GitHubStandInOptions,
  type StandInApp,
  type StandInInstallation,
} from "../../src/stand-in/github-stand-in.js";

export const keyPair = generateKeyPairSync("rsa", { modulusLength: 2048 });

export const app: StandInApp = {
  id: 12_345,
  clientId: "Iv23liExampleExample",
  slug: "example-app",
  publicKey: keyPair.publicKey,
  permissions: { contents: "write", issues: "read", metadata: "read" },
};

export const installation: StandInInstallation = {
  id: 67_890,
  appId: app.id,
  account: { login: "octo-org", type: "Organization" },
  repositories: ["hello", "world"],
};

export const mintPath = `/app/installations/${installation.id}/access_tokens`;

export type ExampleGitHub = { github: GitHubStandIn; baseUrl: string } & AsyncDisposable;

/** A listening stand-in with one app and one installation, closed by `await using`. */
export async function startGitHub(options: Partial<GitHubStandInOptions> = {}): Promise<ExampleGitHub> {
  const github = createGitHubStandIn({ apps: [app], installations: [installation], ...options });
  const baseUrl = await github.listen();
  return { github, baseUrl, [Symbol.asyncDispose]: () => github.close() };
}

/** Signs these claims as an App JWT; without any they are as a client on time would put them. */
export function signAppJwt(
  claims: Record<string, unknown> = {},
  key: KeyObject = keyPair.privateKey,
): string {
  const now = Math.floor(Date.now() / 1000);
  const all = { iss: app.clientId, iat: now - 60, exp: now + 540, ...claims };
  const signed = [{ alg: "RS256", typ: "JWT" }, all]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${sign("RSA-SHA256", Buffer.from(signed), key).toString("base64url")}`;
}

export type Ask = { method?: string; authorization?: string; body?: unknown };

/** What the stand-in answers; `body` is parsed when it is JSON. */
export async function ask(
  baseUrl: string,
  path: string,
  { method = "GET", authorization, body }: Ask = {},
): Promise<{ status: number; headers: Headers; body: unknown }> {
  const answer = await fetch(`${baseUrl}${path}`, {
    method,
    headers: { "user-agent": "ghauth-test", ...(authorization !== undefined && { authorization }) },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const content = await answer.text();
  const isJson = content !== "" && answer.headers.get("content-type")?.startsWith("application/json");
  return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(content) : content };
}

/** What comes back to a request of node's own client, which unlike fetch adds no headers. */
export async function readResponse(request: ClientRequest): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request.once("error", reject);
    request.once("response", (response) => {
      text(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject);
    });
  });
}

/** Asks for a mint with a good App JWT, unless `authorization` says otherwise. */
export function askForToken(baseUrl: string, how: Ask = {}): ReturnType<typeof ask> {
  return ask(baseUrl, mintPath, { method: "POST", authorization: `Bearer ${signAppJwt()}`, ...how });
}

/** Mints and hands back the token alone. */
export async function mintToken(baseUrl: string): Promise<string> {
  const { body } = await askForToken(baseUrl);
  if (typeof body === "object" && body !== null && "token" in body) return String(body.token);
  throw new Error(`not minted: ${JSON.stringify(body)}`);
}
