import { hash, timingSafeEqual } from "node:crypto";
import type { RepositoryPattern } from "./repository-pattern.js";

/** A client and its policy; null is no limit of its own. */
export type Client = {
  name: string;
  repositories: RepositoryPattern[] | null;
  permissions: Record<string, string> | null;
  /** `*` is every workspace. */
  workspaces: string[] | "*";
  admin: boolean;
};

/** A client with the SHA-256 of its bearer token. */
export type KnownClient = Client & { tokenSha256: Buffer };

/** Who asks, by the Authorization header; undefined for everybody else. */
export type Authenticate = (authorization: string | undefined) => Client | undefined;

/** Who everybody is under --insecure-no-auth. */
const anonymous: Client = {
  name: "anonymous",
  repositories: null,
  permissions: null,
  workspaces: "*",
  admin: true,
};

/** Lets everybody in. */
export const admitEverybody: Authenticate = () => anonymous;

/** All hashes are compared, in constant time, so that an answer's time tells nothing about any of them. */
export function createAuthenticate(clients: readonly KnownClient[]): Authenticate {
  return (authorization) => {
    const bearer = /^bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? "")?.[1] ?? "";
    const digest = hash("sha256", bearer, "buffer");
    let found: Client | undefined;
    for (const client of clients) if (timingSafeEqual(client.tokenSha256, digest)) found = client;
    return bearer === "" ? undefined : found;
  };
}
