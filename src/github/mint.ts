import { GhauthError } from "../errors.js";
import { isObject, parseDate } from "../files/json.js";
import { type InstallationToken, isTokenText } from "../token/installation-token.js";
import { Secret } from "../token/secret.js";
import type { AppRequest } from "./app-request.js";
import { explainRefusal } from "./explain.js";
import type { GitHubAnswer } from "./github-api.js";
import { isSameName } from "../token/same-name.js";
import type { Scope } from "./scope.js";
import { nameOf, type SettingNames } from "./operator-names.js";

/** `clockOffsetMs` is how far GitHub's clock is ahead of this host's. */
export type MintedToken = InstallationToken & { expiresAt: Date; clockOffsetMs: number };

export type MintTarget = {
  host: string;
  appId: string;
  installationId: string;
  scope: Scope;
  names?: SettingNames;
};

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
function refuseOtherOwner(json: unknown, target: MintTarget): void {
  const { scope } = target;
  if (scope.owner === null || !isObject(json) || !Array.isArray(json["repositories"])) return;
  for (const repository of json["repositories"] as unknown[]) {
    const fullName = isObject(repository) ? repository["full_name"] : undefined;
    if (typeof fullName !== "string") continue;
    const [owner = ""] = fullName.split("/");
    if (!isSameName(owner, scope.owner)) throw otherOwner(target, scope.owner, owner);
  }
}

export function otherOwner({ installationId, names }: MintTarget, asked: string, owner: string): GhauthError {
  return new GhauthError(
    "repository_other_owner",
    `${nameOf("GITHUB_APP_REPOSITORIES", names)} names repositories of ${asked}, and installation ${installationId} is ${owner}'s: give ${asked}'s installation ID, or none to have it looked up.`,
  );
}
