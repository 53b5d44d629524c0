import { GhauthError } from "../errors.js";
import type { AppRequest } from "../github/app-request.js";
import { findInstallation } from "../github/find-installation.js";
import type { MintTarget } from "../github/mint.js";
import { nameOf } from "../github/operator-names.js";
import { createAppClient } from "./app-client.js";
import type { AppSourceConfig } from "./source-config.js";
import type { ConfiguredSource, SourceDeps } from "./token-source.js";

/** Mints from the App's private key, for one scope. Throws as createAppClient does. */
export function createAppSource(
  deps: Pick<SourceDeps, "request" | "clock">,
  config: AppSourceConfig & { host: string },
): ConfiguredSource {
  const app = createAppClient(deps, config);
  let installationId = config.installationId;
  const target = (id: string): MintTarget => ({ ...config, installationId: id });

  return {
    obtain: async () => {
      installationId ??= await lookUpInstallation(app.appRequest, config);
      return app.mint(target(installationId));
    },
    check: async () => {
      installationId ??= await lookUpInstallation(app.appRequest, config);
      const { app: slug, account, ...found } = await app.check(target(installationId));
      return { works: `App ${slug} and its installation ${installationId} (${account}) answer`, ...found };
    },
    diagnose: async (refusal) =>
      installationId === null ? refusal : app.diagnose(refusal, target(installationId)),
  };
}

async function lookUpInstallation(
  appRequest: AppRequest,
  { host, appId, scope, names }: AppSourceConfig & { host: string },
): Promise<string> {
  const [repository] = scope.repositories;
  if (scope.owner === null || repository === undefined) {
    throw new GhauthError(
      "config_invalid",
      `${nameOf("GITHUB_APP_INSTALLATION_ID", names)} is not set, and no repository names an owner.`,
    );
  }
  return findInstallation(appRequest, { owner: scope.owner, repository, asked: { host, appId, names } });
}
