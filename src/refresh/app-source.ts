import type { KeyObject } from "node:crypto";
import { GhauthError } from "../errors.js";
import { createAppJwtSigner } from "../github/app-jwt.js";
import { createAppRequest } from "../github/app-request.js";
import { diagnose } from "../github/diagnose.js";
import { findInstallation, mint, type MintTarget } from "../github/mint.js";
import { parsePrivateKey, readPrivateKeyFile } from "../github/private-key.js";
import type { AppSourceConfig } from "./refresh-config.js";
import type { SourceDeps, TokenSource } from "./token-source.js";

/** Mints from the App's private key. Rejects with a key's `key_…` code before anything is sent. */
export function createAppSource(
  { request, clock: { now } }: Pick<SourceDeps, "request" | "clock">,
  config: AppSourceConfig & { host: string },
): TokenSource {
  const privateKey = loadPrivateKey(config.privateKey);
  const appRequestAs = (appId: string) =>
    createAppRequest({ request, now, signAppJwt: createAppJwtSigner(appId, privateKey) });
  const appRequest = appRequestAs(config.appId);

  let installationId = config.installationId;
  const target = (id: string): MintTarget => ({ ...config, installationId: id });

  return {
    obtain: async () => {
      installationId ??= await lookUpInstallation(appRequest, config);
      return mint({ appRequest, now }, target(installationId));
    },
    diagnose: async (refusal) =>
      installationId === null
        ? refusal
        : diagnose(refusal, { appRequest, appRequestAs }, target(installationId)),
  };
}

function loadPrivateKey(origin: AppSourceConfig["privateKey"]): KeyObject {
  return "path" in origin
    ? parsePrivateKey(readPrivateKeyFile(origin.path, origin), origin.path)
    : parsePrivateKey(origin.text, "GITHUB_APP_PRIVATE_KEY");
}

async function lookUpInstallation(
  appRequest: ReturnType<typeof createAppRequest>,
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
