import type { KeyObject } from "node:crypto";
import type { GhauthError } from "../errors.js";
import { createAppJwtSigner } from "../github/app-jwt.js";
import { type AppRequest, createAppRequest } from "../github/app-request.js";
import { type CheckedInstallation, checkInstallation } from "../github/check-installation.js";
import { diagnose } from "../github/diagnose.js";
import { mint, type MintedToken, type MintTarget } from "../github/mint.js";
import { parsePrivateKey, readPrivateKeyFile } from "../github/private-key.js";
import type { AppSourceConfig } from "./source-config.js";
import type { SourceDeps } from "./token-source.js";

/** An App as itself: it asks and mints for any of its installations. */
export type AppClient = {
  appRequest: AppRequest;
  mint: (target: MintTarget) => Promise<MintedToken>;
  check: (target: MintTarget) => Promise<CheckedInstallation>;
  diagnose: (refusal: GhauthError, target: MintTarget) => Promise<GhauthError>;
};

/** Reads the App's private key. Throws a key's `key_…` code before anything is sent. */
export function createAppClient(
  { request, clock: { now } }: Pick<SourceDeps, "request" | "clock">,
  config: Pick<AppSourceConfig, "appId" | "privateKey">,
): AppClient {
  const privateKey = loadPrivateKey(config.privateKey);
  const appRequestAs = (appId: string) =>
    createAppRequest({ request, now, signAppJwt: createAppJwtSigner(appId, privateKey) });
  const appRequest = appRequestAs(config.appId);
  return {
    appRequest,
    mint: async (target) => mint({ appRequest, now }, target),
    check: async (target) => checkInstallation({ appRequest, now }, target),
    diagnose: async (refusal, target) => diagnose(refusal, { appRequest, appRequestAs }, target),
  };
}

function loadPrivateKey(origin: AppSourceConfig["privateKey"]): KeyObject {
  return "path" in origin
    ? parsePrivateKey(readPrivateKeyFile(origin.path, origin), origin.path)
    : parsePrivateKey(origin.text, "GITHUB_APP_PRIVATE_KEY");
}
