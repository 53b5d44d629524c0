import { parseDate, parseJson } from "../github/github-api.js";
import { type InstallationToken, isTokenText } from "../token/installation-token.js";
import { Secret } from "../token/secret.js";

/** The token in `{"token","expires_at"}`, or null; an absent expiry is null, one that is no date makes it no answer. */
export function readToken(text: string): InstallationToken | null {
  const json = parseJson(text);
  if (typeof json !== "object" || json === null || !("token" in json)) return null;
  const { token } = json;
  if (typeof token !== "string" || !isTokenText(token)) return null;
  const expires = "expires_at" in json ? (json.expires_at ?? null) : null;
  if (expires === null) return { secret: new Secret(token), expiresAt: null };
  const expiresAt = parseDate(typeof expires === "string" ? expires : undefined);
  return expiresAt && { secret: new Secret(token), expiresAt };
}
