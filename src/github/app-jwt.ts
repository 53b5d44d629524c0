import type { KeyObject } from "node:crypto";
import githubAppJwt from "universal-github-app-jwt";
import { Secret } from "../token/secret.js";

/** Signs an App JWT that is valid around `now`, an instant on GitHub's clock. */
export type SignAppJwt = (now: Date) => Promise<Secret>;

/**
 * A signer for one App: RS256, `iss` its app ID or client ID, 10 minutes at most
 * (https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app).
 */
export function createAppJwtSigner(appId: string, privateKey: KeyObject): SignAppJwt {
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return async (now) => {
    const { token } = await githubAppJwt({
      id: appId,
      privateKey: pem,
      now: Math.floor(now.getTime() / 1000) - issuedEarlierSeconds,
    });
    return new Secret(token);
  };
}

/** On top of the library's 30 s: GitHub advises to put `iat` 60 s back, for clocks that drift. */
const issuedEarlierSeconds = 30;
