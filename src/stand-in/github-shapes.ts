import { createHash } from "node:crypto";
import type { components } from "@octokit/openapi-types";
import { epochSeconds, githubTime } from "./github-answers.js";
import type { MintedToken } from "./stand-in-tokens.js";
import { grantedPermissions, type StandInApp, type StandInInstallation } from "./stand-in-apps.js";

type Schemas = components["schemas"];

/** A part of GitHub's `repository`, whose whole has a hundred fields of links and counters. */
export type RepositoryAnswer = Pick<
  Schemas["repository"],
  "id" | "node_id" | "name" | "full_name" | "owner" | "private" | "html_url" | "url" | "clone_url"
>;

/** GitHub's `installation-token`, its repositories cut down as above. */
export type InstallationTokenAnswer = Omit<Schemas["installation-token"], "repositories"> & {
  repositories?: RepositoryAnswer[];
};

/** An owner on GitHub. */
type Account = { login: string; type: string };

const createdAt = "2026-01-01T00:00:00Z";
const webUrl = "https://github.com";

/** The answer to a mint; `repositories` stands in it only when the request named some. */
export function installationTokenShape(apiUrl: string, minted: MintedToken): InstallationTokenAnswer {
  const { token, scope, expiresAt } = minted;
  return {
    token,
    expires_at: githubTime(expiresAt),
    permissions: scope.permissions,
    repository_selection: "selected",
    ...(scope.isNarrowed && { repositories: repositoryShapes(apiUrl, minted) }),
  };
}

/** The repositories that a token reaches. */
export function repositoryShapes(apiUrl: string, { installation, scope }: MintedToken): RepositoryAnswer[] {
  return scope.repositories.map((name) => repositoryShape(apiUrl, installation.account, name));
}

/** One repository, as its owner's installation sees it. */
function repositoryShape(apiUrl: string, owner: Account, name: string): RepositoryAnswer {
  const fullName = `${owner.login}/${name}`;
  const id = repositoryId(owner.login, name);
  return {
    id,
    node_id: nodeId("Repository", id),
    name,
    full_name: fullName,
    owner: accountShape(apiUrl, owner),
    private: true,
    html_url: `${webUrl}/${fullName}`,
    url: `${apiUrl}/repos/${fullName}`,
    clone_url: `${webUrl}/${fullName}.git`,
  };
}

/** A repository's id is made from its name, so that it is the same in every run and installation. */
export function repositoryId(owner: string, name: string): number {
  return numberFrom(`${owner}/${name}`);
}

/** GitHub's `installation`, of an app by its owner's account. */
export function installationShape(
  apiUrl: string,
  installation: StandInInstallation,
  app: StandInApp,
): Schemas["installation"] {
  const account = accountShape(apiUrl, installation.account);
  const isSuspended = installation.suspended === true;
  return {
    id: installation.id,
    client_id: app.clientId,
    account,
    repository_selection: "selected",
    access_tokens_url: `${apiUrl}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${apiUrl}/installation/repositories`,
    html_url: `${webUrl}/settings/installations/${installation.id}`,
    app_id: app.id,
    app_slug: app.slug,
    target_id: Number(account.id),
    target_type: account.type,
    permissions: grantedPermissions(installation, app),
    events: [],
    created_at: createdAt,
    updated_at: createdAt,
    single_file_name: null,
    suspended_by: isSuspended ? account : null,
    suspended_at: isSuspended ? createdAt : null,
  };
}

/** GitHub's `integration`: the app as it sees itself. */
export function appShape(
  apiUrl: string,
  app: StandInApp,
  installationsCount: number,
): NonNullable<Schemas["integration"]> {
  return {
    id: app.id,
    slug: app.slug,
    client_id: app.clientId,
    node_id: nodeId("App", app.id),
    owner: accountShape(apiUrl, { login: `${app.slug}-owner`, type: "Organization" }),
    name: app.slug,
    description: null,
    external_url: `${webUrl}/apps/${app.slug}`,
    html_url: `${webUrl}/apps/${app.slug}`,
    created_at: createdAt,
    updated_at: createdAt,
    permissions: { ...app.permissions },
    events: [],
    installations_count: installationsCount,
  };
}

/** GitHub's `rate-limit-overview`; asking costs nothing, so the numbers never move. */
export function rateLimitShape(now: Date): Schemas["rate-limit-overview"] {
  const core = { limit: 5000, used: 1, remaining: 4999, reset: epochSeconds(now) + 3600 };
  const search = { limit: 30, used: 0, remaining: 30, reset: epochSeconds(now) + 60 };
  return { resources: { core, search }, rate: core };
}

/** A part of GitHub's `root`, which lists links to everything. */
export function rootShape(
  apiUrl: string,
): Pick<Schemas["root"], "current_user_url" | "rate_limit_url" | "repository_url" | "user_url"> {
  return {
    current_user_url: `${apiUrl}/user`,
    rate_limit_url: `${apiUrl}/rate_limit`,
    repository_url: `${apiUrl}/repos/{owner}/{repo}`,
    user_url: `${apiUrl}/users/{user}`,
  };
}

function accountShape(apiUrl: string, { login, type }: Account): Schemas["simple-user"] {
  const id = numberFrom(login);
  const url = `${apiUrl}/users/${login}`;
  return {
    login,
    id,
    node_id: nodeId(type, id),
    avatar_url: `https://avatars.githubusercontent.com/u/${id}?v=4`,
    gravatar_id: "",
    url,
    html_url: `${webUrl}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type,
    site_admin: false,
  };
}

function nodeId(kind: string, id: number): string {
  return Buffer.from(`0:${kind}${id}`).toString("base64");
}

function numberFrom(name: string): number {
  return createHash("sha256").update(name.toLowerCase()).digest().readUInt32BE(0);
}
