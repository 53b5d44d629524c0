import { type KeyObject, sign } from "node:crypto";
import { Secret } from "../token/secret.js";

/** Signs an App JWT that is valid around `now`, an instant on GitHub's clock. */
export type SignAppJwt = (now: Date) => Secret;

/** `iat` a minute back, as GitHub advises for clocks that drift; `exp` stays under its 10 minutes ahead. */
const issuedEarlierSeconds = 60;
const lifeSeconds = 600;

/**
 * A signer for one App: RS256, `iss` its app ID or client ID, 10 minutes at most
 * (https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
 */
export function createAppJwtSigner(appId: string, privateKey: KeyObject): SignAppJwt {
  return (now) => {
    const iat = Math.floor(now.getTime() / 1000) - issuedEarlierSeconds;
    const signed = [
      { alg: "RS256", typ: "JWT" },
      { iat, exp: iat + lifeSeconds, iss: appId },
    ]
      .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
      .join(".");
    return new Secret(
      `${signed}.${sign("RSA-SHA256", Buffer.from(signed), privateKey).toString("base64url")}`,
    );
  };
}
