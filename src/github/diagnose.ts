import { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { AppRequest } from "./app-request.js";
import { type MintTarget, otherOwner } from "./mint.js";
import { nameOf } from "./operator-names.js";
import { exceeds } from "./permission-levels.js";
import { isSameName } from "../token/same-name.js";

type Diagnosis = (deps: DiagnoseDeps, target: MintTarget) => Promise<GhauthError | undefined>;
export type DiagnoseDeps = { appRequest: AppRequest; appRequestAs: (appId: string) => AppRequest };

/** GitHub's refusals that have more than one cause, each with the question that tells them apart. */
const diagnoses: Partial<Record<GhauthError["code"], Diagnosis>> = {
  app_unknown: findSwappedIds,
  key_mismatch: findSwappedIds,
  installation_not_found: listInstallations,
  repository_inaccessible: findRepository,
  permission_not_granted: findPermission,
};

/**
 * A refusal that a person must act on, told more precisely by asking GitHub once more; the refusal itself where that
 * tells nothing. Never rejects.
 */
export async function diagnose(
  refusal: GhauthError,
  deps: DiagnoseDeps,
  target: MintTarget,
): Promise<GhauthError> {
  try {
    return (await diagnoses[refusal.code]?.(deps, target)) ?? refusal;
  } catch {
    return refusal; // GitHub went away between two questions: what it said first still holds
  }
}

/** An App ID and an installation ID look alike; the key proves which is which. */
async function findSwappedIds({ appRequestAs }: DiagnoseDeps, { appId, installationId, names }: MintTarget) {
  if (!/^\d+$/.test(appId)) return undefined;
  const { status } = await appRequestAs(installationId)({ method: "GET", path: "/app" });
  if (status !== 200) return undefined;
  return new GhauthError(
    "ids_swapped",
    `${nameOf("GITHUB_APP_ID", names)} and ${nameOf("GITHUB_APP_INSTALLATION_ID", names)} are swapped: the private key belongs to App ${installationId}.`,
  );
}

async function listInstallations({ appRequest }: DiagnoseDeps, { appId, installationId, names }: MintTarget) {
  const { json } = await appRequest({ method: "GET", path: "/app/installations?per_page=100" });
  if (!Array.isArray(json)) return undefined;
  const known = (json as unknown[])
    .map((item) => readInstallation(item))
    .flatMap(({ id, account }) => (id === undefined ? [] : `${id} (${account ?? "?"})`));
  const hint =
    known.length === 0
      ? "It is not installed anywhere: install it on the account whose repositories are needed."
      : `It is installed as ${known.slice(0, 5).join(", ")}${known.length > 5 ? ", …" : ""}: set ${nameOf("GITHUB_APP_INSTALLATION_ID", names)} to the right one.`;
  return new GhauthError(
    "installation_not_found",
    `App ${appId} has no installation ${installationId}. ${hint}`,
  );
}

async function findRepository({ appRequest }: DiagnoseDeps, target: MintTarget) {
  const { account } = await getInstallation(appRequest, target.installationId);
  return account === undefined ? undefined : findLostRepository(appRequest, { account, target });
}

const mostRepositoriesAsked = 20;

/** What is wrong with the repositories that a token is to be scoped to, in an installation on this account, if anything is. */
export async function findLostRepository(
  appRequest: AppRequest,
  { account, target }: { account: string; target: MintTarget },
): Promise<GhauthError | undefined> {
  const { appId, installationId, scope, names } = target;
  if (scope.owner !== null && !isSameName(scope.owner, account)) {
    return otherOwner(target, scope.owner, account);
  }
  const asked = scope.repositories.slice(0, mostRepositoriesAsked).map(async (name) => {
    const { status } = await appRequest({ method: "GET", path: `/repos/${account}/${name}/installation` });
    return status === 404 ? [`${account}/${name}`] : [];
  });
  const lost = (await Promise.all(asked)).flat();
  if (lost.length === 0) return undefined;
  return new GhauthError(
    "repository_inaccessible",
    `Installation ${installationId} of App ${appId} does not reach ${lost.join(", ")}: correct the name in ${nameOf("GITHUB_APP_REPOSITORIES", names)}, or select it in the installation's settings.`,
  );
}

async function findPermission({ appRequest }: DiagnoseDeps, target: MintTarget) {
  const { permissions } = await getInstallation(appRequest, target.installationId);
  return permissions === undefined ? undefined : findMissingPermission(permissions, target);
}

/** Which of the permissions that a token is to have an installation lacks, if any. */
export function findMissingPermission(
  permissions: Record<string, string>,
  { installationId, scope }: MintTarget,
): GhauthError | undefined {
  const missing = Object.entries(scope.permissions).filter(([name, level]) =>
    exceeds(level, permissions[name]),
  );
  if (missing.length === 0) return undefined;
  const asked = missing.map(([name, level]) => `${name}:${level} (granted: ${permissions[name] ?? "none"})`);
  return new GhauthError(
    "permission_not_granted",
    `Installation ${installationId} was not granted ${asked.join(", ")}: add it in the App's settings and have the owner approve it, or ask for less in GITHUB_APP_PERMISSIONS.`,
  );
}

async function getInstallation(appRequest: AppRequest, installationId: string) {
  return readInstallation(
    (await appRequest({ method: "GET", path: `/app/installations/${installationId}` })).json,
  );
}

/** What is understood of GitHub's `installation`. */
export function readInstallation(json: unknown): {
  id?: number;
  account?: string;
  permissions?: Record<string, string>;
  isSuspended?: boolean;
} {
  if (!isObject(json)) return {};
  const { id, account, permissions, suspended_at } = json;
  const login = isObject(account) ? account["login"] : undefined;
  return {
    ...(typeof id === "number" && { id }),
    ...(typeof login === "string" && { account: login }),
    ...(isObject(permissions) && { permissions: stringsIn(permissions) }),
    ...(typeof suspended_at === "string" && { isSuspended: true }),
  };
}

function stringsIn(object: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(object).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}
