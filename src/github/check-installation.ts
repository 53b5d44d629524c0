import { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { AppRequest } from "./app-request.js";
import { measureClockOffset } from "./clock-offset.js";
import { findLostRepository, findMissingPermission, readInstallation } from "./diagnose.js";
import { explainRefusal, suspended } from "./explain.js";
import type { MintTarget } from "./mint.js";

/** An App and its installation as GitHub knows them; `permissions` are what a token for the target would have. */
export type CheckedInstallation = {
  app: string;
  account: string;
  permissions: Record<string, string>;
  clockOffsetMs: number | null;
};

/**
 * Asks for all that a mint needs, without minting: the App by its JWT (GET /app), the installation, and whether it has
 * the repositories and permissions of the scope. Rejects with what stands in the way.
 */
export async function checkInstallation(
  { appRequest, now }: { appRequest: AppRequest; now: () => Date },
  target: MintTarget,
): Promise<CheckedInstallation> {
  const { host, appId, installationId, scope, names } = target;
  const { answer, clockOffsetMs } = await measureClockOffset(now, async () =>
    appRequest({ method: "GET", path: "/app" }),
  );
  if (answer.status !== 200) throw explainRefusal(answer, { host, appId, ...(names && { names }) });
  const installation = await appRequest({ method: "GET", path: `/app/installations/${installationId}` });
  if (installation.status !== 200) throw explainRefusal(installation, target);
  const { account, permissions, isSuspended } = readInstallation(installation.json);
  if (account === undefined || permissions === undefined) throw unclear(host);
  if (isSuspended) throw suspended(target);
  const fault =
    findMissingPermission(permissions, target) ?? (await findLostRepository(appRequest, { account, target }));
  if (fault) throw fault;
  const isNarrowed = Object.keys(scope.permissions).length > 0;
  return {
    app: nameIn(answer.json) ?? appId,
    account,
    permissions: isNarrowed ? { ...readsMetadata(permissions), ...scope.permissions } : permissions,
    clockOffsetMs,
  };
}

/** GitHub adds it to every token, since every repository permission brings it. */
function readsMetadata({ metadata }: Record<string, string>): Record<string, string> {
  return metadata === undefined ? {} : { metadata: "read" };
}

function nameIn(json: unknown): string | undefined {
  const slug = isObject(json) ? json["slug"] : undefined;
  return typeof slug === "string" ? slug : undefined;
}

function unclear(host: string): GhauthError {
  return new GhauthError(
    "github_unavailable",
    `${host} answered without an installation: GitHub, or a proxy before it, is in trouble.`,
  );
}
