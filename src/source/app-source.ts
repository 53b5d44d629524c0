import type { KeyObject } from "node:crypto";
import { GhauthError } from "../errors.js";
import { createAppJwtSigner } from "../github/app-jwt.js";
import { type AppRequest, createAppRequest } from "../github/app-request.js";
import { diagnose } from "../github/diagnose.js";
import { findInstallation, mint, type MintedToken, type MintTarget } from "../github/mint.js";
import { parsePrivateKey, readPrivateKeyFile } from "../github/private-key.js";
import type { AppSourceConfig } from "./source-config.js";
import type { SourceDeps, TokenSource } from "./token-source.js";

/** An App as itself: it asks and mints for any of its installations. */
export type AppClient = {
  appRequest: AppRequest;
  mint: (target: MintTarget) => Promise<MintedToken>;
  diagnose: (refusal: GhauthError, target: MintTarget) => Promise<GhauthError>;
};

/** Reads the App's private key. Rejects with a key's `key_…` code before anything is sent. */
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
    diagnose: async (refusal, target) => diagnose(refusal, { appRequest, appRequestAs }, target),
  };
}

/** Mints from the App's private key, for one scope. Rejects as createAppClient does. */
export function createAppSource(
  deps: Pick<SourceDeps, "request" | "clock">,
  config: AppSourceConfig & { host: string },
): TokenSource {
  const app = createAppClient(deps, config);
  let installationId = config.installationId;
  const target = (id: string): MintTarget => ({ ...config, installationId: id });

  return {
    obtain: async () => {
      installationId ??= await lookUpInstallation(app.appRequest, config);
      return app.mint(target(installationId));
    },
    diagnose: async (refusal) =>
      installationId === null ? refusal : app.diagnose(refusal, target(installationId)),
  };
}

function loadPrivateKey(origin: AppSourceConfig["privateKey"]): KeyObject {
  return "path" in origin
    ? parsePrivateKey(readPrivateKeyFile(origin.path, origin), origin.path)
    : parsePrivateKey(origin.text, "GITHUB_APP_PRIVATE_KEY");
}

async function lookUpInstallation(
  appRequest: AppRequest,
  { host, appId, scope }: AppSourceConfig & { host: string },
): Promise<string> {
  const [repository] = scope.repositories;
  if (scope.owner === null || repository === undefined) {
    throw new GhauthError(
      "config_invalid",
      "GITHUB_APP_INSTALLATION_ID is not set, and no repository names an owner.",
    );
  }
  return findInstallation(appRequest, { owner: scope.owner, repository, asked: { host, appId } });
}
