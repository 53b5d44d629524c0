import { exceeds, permissionLevels } from "../github/permission-levels.js";
import { isSameName } from "../token/same-name.js";
import { mostRepositories } from "../github/scope.js";
import { problem, Refused } from "./github-answers.js";
import { repositoryId } from "./github-shapes.js";
import { refused } from "./refusals.js";
import type { TokenScope } from "./stand-in-tokens.js";
import type { AppPermissions, StandInInstallation } from "./stand-in-apps.js";

/** The scope that a mint's JSON body asks for, held to what the installation has; an empty body asks for all. */
export function parseTokenRequest(
  installation: StandInInstallation,
  granted: AppPermissions,
  body: string,
): TokenScope {
  const request = parseObject(body);
  const { repositories: names = [], repository_ids: ids = [], permissions = granted } = request;
  if (!isArrayOf(names, isString)) throw invalid("repositories");
  if (!isArrayOf(ids, isNumber)) throw invalid("repository_ids");
  if (!isRecord(permissions)) throw invalid("permissions");
  const asked = names.length + ids.length;
  if (asked > mostRepositories) throw new Refused(problem(422, "Validation Failed"));
  const repositories = asked === 0 ? installation.repositories : select(installation, names, ids);
  if (!isGranted(permissions, granted)) throw refused("permission_not_granted");
  return { repositories, isNarrowed: asked > 0, permissions: withMetadata(permissions, granted) };
}

function parseObject(body: string): Record<string, unknown> {
  if (body.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new Refused(problem(400, "Problems parsing JSON"));
  }
  if (!isRecord(value)) throw new Refused(problem(400, "Body should be a JSON object"));
  return value;
}

function select(installation: StandInInstallation, names: string[], ids: number[]): string[] {
  const { account, repositories } = installation;
  const byName = names.map((name) => repositories.find((repository) => isSameName(repository, name)));
  const byId = ids.map((id) => repositories.find((name) => repositoryId(account.login, name) === id));
  const found = [...byName, ...byId].filter((repository) => repository !== undefined);
  if (found.length < names.length + ids.length) throw refused("repository_inaccessible");
  return [...new Set(found)];
}

function isGranted(
  permissions: Record<string, unknown>,
  granted: Record<string, string>,
): permissions is AppPermissions {
  return Object.entries(permissions).every(
    ([name, level]) => permissionLevels.includes(String(level)) && !exceeds(String(level), granted[name]),
  );
}

/** GitHub adds `metadata: read` to every token, since every repository permission brings it. */
function withMetadata(permissions: AppPermissions, { metadata }: AppPermissions): AppPermissions {
  return metadata === undefined ? permissions : { metadata: "read", ...permissions };
}

function invalid(field: string): Refused {
  return new Refused(
    problem(422, `Invalid request.\n\nFor 'properties/${field}', the value has a wrong type.`),
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isArrayOf<T>(value: unknown, isMember: (member: unknown) => member is T): value is T[] {
  return Array.isArray(value) && value.every(isMember);
}

function isString(value: unknown): value is string {
  return typeof value === "string";
}

function isNumber(value: unknown): value is number {
  return typeof value === "number";
}
