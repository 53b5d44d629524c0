import { GhauthError } from "../errors.js";
import { isObject } from "../files/json.js";
import type { AppRequest } from "./app-request.js";
import { type Asked, explainRefusal } from "./explain.js";
import type { GitHubAnswer } from "./github-api.js";

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
