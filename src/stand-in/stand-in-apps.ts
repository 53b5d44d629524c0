import type { KeyObject } from "node:crypto";
import type { components } from "@octokit/openapi-types";

/** Permission name with underscores -> `read`, `write` or `admin`, as GitHub's API writes them. */
export type AppPermissions = components["schemas"]["app-permissions"];

/** A registered GitHub App; `publicKey` is the other half of its private key. */
export type StandInApp = {
  id: number;
  clientId: string;
  slug: string;
  publicKey: KeyObject;
  permissions: AppPermissions;
};

/** An installation of an app; `repositories` are names of that account, `permissions` default to the app's. */
export type StandInInstallation = {
  id: number;
  appId: number;
  account: { login: string; type: "Organization" | "User" };
  repositories: string[];
  permissions?: AppPermissions;
  suspended?: boolean;
};

/** What an installation may do: what its owner approved, by default all that the app asks for. */
export function grantedPermissions(installation: StandInInstallation, app: StandInApp): AppPermissions {
  return installation.permissions ?? app.permissions;
}
