import { GhauthError } from "../errors.js";
import { type InstallationToken, isTokenText } from "../token/installation-token.js";
import { Secret } from "../token/secret.js";
import type { AppRequest } from "./app-request.js";
import { explainRefusal, type Asked } from "./explain.js";
import { type GitHubAnswer, isObject, parseDate } from "./github-api.js";
import type { Scope } from "./scope.js";

/** `clockOffsetMs` is how far GitHub's clock is ahead of this host's. */
export type MintedToken = InstallationToken & { expiresAt: Date; clockOffsetMs: number };

export type MintTarget = { host: string; appId: string; installationId: string; scope: Scope };

/**
 * Mints an installation token (POST /app/installations/{id}/access_tokens). Its `expiresAt` is put on this host's
 * clock: now + GitHub's `expires_at` - GitHub's `Date`. Rejects with what explainRefusal makes of a refusal.
 */
export async function mint(
  { appRequest, now }: { appRequest: AppRequest; now: () => Date },
  target: MintTarget,
): Promise<MintedToken> {
  const { scope, installationId } = target;
  const askedAt = now();
  const answer = await appRequest({
    method: "POST",
    path: `/app/installations/${installationId}/access_tokens`,
    body: {
      ...(scope.repositories.length > 0 && { repositories: scope.repositories }),
      ...(Object.keys(scope.permissions).length > 0 && { permissions: scope.permissions }),
    },
  });
  if (answer.status !== 201) throw explainRefusal(answer, target);
  return readMintedToken(answer, { target, askedAt });
}

function readMintedToken(
  answer: GitHubAnswer,
  { target, askedAt }: { target: MintTarget; askedAt: Date },
): MintedToken {
  const { token, expires_at } = isObject(answer.json) ? answer.json : {};
  const expiresAt = parseDate(typeof expires_at === "string" ? expires_at : undefined);
  if (typeof token !== "string" || !isTokenText(token) || !expiresAt) {
    throw new GhauthError(
      "github_unavailable",
      `${target.host} answered HTTP ${answer.status} without a token: GitHub, or a proxy before it, is in trouble.`,
    );
  }
  refuseOtherOwner(answer.json, target);
  const clockOffsetMs = answer.date ? answer.date.getTime() - askedAt.getTime() : 0;
  return {
    secret: new Secret(token),
    expiresAt: new Date(expiresAt.getTime() - clockOffsetMs),
    clockOffsetMs,
  };
}

/** GitHub takes names without an owner: `acme/site` asked of another owner's installation would yield that owner's `site`. */
function refuseOtherOwner(json: unknown, { scope, installationId }: MintTarget): void {
  if (scope.owner === null || !isObject(json) || !Array.isArray(json["repositories"])) return;
  for (const repository of json["repositories"] as unknown[]) {
    const fullName = isObject(repository) ? repository["full_name"] : undefined;
    if (typeof fullName !== "string") continue;
    const [owner = ""] = fullName.split("/");
    if (owner.toLowerCase() !== scope.owner.toLowerCase())
      throw otherOwner(scope.owner, owner, installationId);
  }
}

export function otherOwner(asked: string, owner: string, installationId: string): GhauthError {
  return new GhauthError(
    "repository_other_owner",
    `GITHUB_APP_REPOSITORIES names repositories of ${asked}, and installation ${installationId} is ${owner}'s: give ${asked}'s installation ID, or none to have it looked up.`,
  );
}

/**
 * Finds the installation that reaches `owner/repository`. Rejects with `repository_inaccessible` where the App is
 * installed for the owner without that repository, with `installation_not_found` where it is not installed there.
 */
export async function findInstallation(
  appRequest: AppRequest,
  { owner, repository, asked }: { owner: string; repository: string; asked: Asked },
): Promise<string> {
  const answer = await appRequest({ method: "GET", path: `/repos/${owner}/${repository}/installation` });
  const id = installationIdIn(answer);
  if (id !== undefined) return id;
  if (answer.status !== 404 || explainRefusal(answer, asked).code !== "installation_not_found") {
    throw explainRefusal(answer, asked);
  }
  if ((await askOwner(appRequest, owner, asked)) !== undefined) {
    throw new GhauthError(
      "repository_inaccessible",
      `App ${asked.appId} is installed for ${owner}, but ${owner}/${repository} does not exist or is not selected: correct the name, or select it in the installation's settings.`,
    );
  }
  throw notInstalled(`${owner}/${repository}`, asked);
}

/** Finds the installation for an owner's account. Rejects with `installation_not_found` where there is none. */
export async function findOwnerInstallation(
  appRequest: AppRequest,
  { owner, asked }: { owner: string; asked: Asked },
): Promise<string> {
  const id = await askOwner(appRequest, owner, asked);
  if (id !== undefined) return id;
  throw notInstalled(owner, asked);
}

/** GitHub answers this one for organizations too. */
async function askOwner(appRequest: AppRequest, owner: string, asked: Asked): Promise<string | undefined> {
  const answer = await appRequest({ method: "GET", path: `/users/${owner}/installation` });
  const id = installationIdIn(answer);
  if (id !== undefined) return id;
  const refusal = explainRefusal(answer, asked);
  if (refusal.code !== "installation_not_found") throw refusal;
  return undefined;
}

function notInstalled(where: string, { appId }: Asked): GhauthError {
  return new GhauthError(
    "installation_not_found",
    `App ${appId} is not installed on ${where}: install it there, or correct the name.`,
  );
}

function installationIdIn({ status, json }: GitHubAnswer): string | undefined {
  if (status !== 200 || !isObject(json)) return undefined;
  return typeof json["id"] === "number" ? String(json["id"]) : undefined;
}
