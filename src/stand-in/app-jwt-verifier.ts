import { verify, type KeyObject } from "node:crypto";
import { epochSeconds } from "./github-answers.js";
import { refused } from "./refusals.js";
import type { StandInApp } from "./stand-in-apps.js";

const longestLifeSeconds = 10 * 60;

/**
 * The app whose App JWT an Authorization header bears; throws GitHub's refusal otherwise.
 * GitHub looks the issuer up first, then checks the signature, then the times.
 */
export function verifyAppJwt(
  { apps, now }: { apps: StandInApp[]; now: () => Date },
  authorization: string | undefined,
): StandInApp {
  // GitHub accepts a JWT with the scheme Bearer only, unlike a token.
  const jwt = /^bearer +(\S+)$/i.exec(authorization ?? "")?.[1] ?? "";
  const [header = "", payload = "", signature = "", ...rest] = jwt.split(".");
  const claims = decode(payload);
  if (rest.length > 0 || claims === undefined || decode(header)?.["alg"] !== "RS256") {
    throw refused("jwt_undecodable");
  }
  const app = findIssuer(apps, claims["iss"]);
  if (!isSignedBy(app.publicKey, `${header}.${payload}`, signature)) throw refused("jwt_undecodable");
  checkTimes(claims, epochSeconds(now()));
  return app;
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

function findIssuer(apps: StandInApp[], issuer: unknown): StandInApp {
  if (issuer === undefined || issuer === null || issuer === "") throw refused("issuer_missing");
  const name = typeof issuer === "number" || typeof issuer === "string" ? String(issuer) : "";
  const app = apps.find(({ id, clientId }) => name === String(id) || name === clientId);
  if (app !== undefined) return app;
  // Client IDs look like Iv1.8a61f9b3a7aba766 or Iv23liExampleExample1.
  throw refused(/^(?:\d+|Iv[\w.]{10,})$/.test(name) ? "integration_not_found" : "issuer_invalid");
}

function isSignedBy(publicKey: KeyObject, signed: string, signature: string): boolean {
  return verify("RSA-SHA256", Buffer.from(signed), publicKey, Buffer.from(signature, "base64url"));
}

function checkTimes({ exp, iat }: Record<string, unknown>, now: number): void {
  if (typeof exp !== "number" || exp <= now) throw refused("exp_not_future");
  if (exp > now + longestLifeSeconds) throw refused("exp_too_far");
  if (typeof iat !== "number" || !Number.isInteger(iat) || iat > now) throw refused("iat_invalid");
}
