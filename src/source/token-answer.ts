import { isObject, parseDate, parseJson } from "../files/json.js";
import { type InstallationToken, isTokenText } from "../token/installation-token.js";
import { Secret } from "../token/secret.js";

/** The token in `{"token","expires_at"}`, or null; an absent expiry is null, one that is no date makes it no answer. */
export function readToken(text: string): InstallationToken | null {
  const json = parseJson(text);
  if (!isObject(json)) return null;
  const { token } = json;
  if (typeof token !== "string" || !isTokenText(token)) return null;
  const expires = json["expires_at"] ?? null;
  if (expires === null) return { secret: new Secret(token), expiresAt: null };
  const expiresAt = parseDate(typeof expires === "string" ? expires : undefined);
  return expiresAt && { secret: new Secret(token), expiresAt };
}
