import { refused } from "./refusals.js";
import type { StandInApp, StandInInstallation } from "./stand-in-apps.js";
import type { MintedToken, TokenRegister } from "./stand-in-tokens.js";

/** All that the stand-in's routes know; `now` is GitHub's clock. */
export type World = {
  now: () => Date;
  apps: StandInApp[];
  installations: StandInInstallation[];
  tokens: TokenRegister;
};

/** Where an app is installed. */
export function installationsOf({ installations }: World, app: StandInApp): StandInInstallation[] {
  return installations.filter(({ appId }) => appId === app.id);
}

/** An installation of this app; another app's is as unknown as none, as it is with GitHub. */
export function findInstallation(
  world: World,
  app: StandInApp,
  isWanted: (installation: StandInInstallation) => boolean,
): StandInInstallation {
  const installation = installationsOf(world, app).find(isWanted);
  if (installation === undefined) throw refused("not_found");
  return installation;
}

/** The live token of an Authorization header (`Bearer` or `token`), which counts as a use of it. */
export function authenticate(world: World, authorization: string | undefined): MintedToken | undefined {
  if (authorization === undefined) return undefined;
  const credentials = /^(?:bearer|token) +(\S+)$/i.exec(authorization)?.[1] ?? "";
  const token = world.tokens.find(credentials);
  if (token === undefined) throw refused("bad_credentials");
  if (token.refusedUses > 0) {
    token.refusedUses -= 1;
    throw refused("bad_credentials");
  }
  if (token.installation.suspended === true) throw refused("suspended");
  return token;
}
