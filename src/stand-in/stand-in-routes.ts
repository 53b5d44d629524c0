import { isSameName } from "../token/same-name.js";
import { verifyAppJwt } from "./app-jwt-verifier.js";
import { problem, Refused, type Answer } from "./github-answers.js";
import {
  appShape,
  installationShape,
  installationTokenShape,
  rateLimitShape,
  repositoryShapes,
  rootShape,
} from "./github-shapes.js";
import { answerGraphql } from "./graphql-viewer.js";
import { renderPage } from "./paging.js";
import { refused } from "./refusals.js";
import type { Call } from "./stand-in-call.js";
import type { MintedToken } from "./stand-in-tokens.js";
import { grantedPermissions, type StandInApp, type StandInInstallation } from "./stand-in-apps.js";
import { authenticate, findInstallation, installationsOf, type World } from "./stand-in-world.js";
import { parseTokenRequest } from "./token-request.js";

type RouteCall = { world: World; call: Call; param: (name: string) => string };

/** An app asks for itself, with an App JWT. */
const appRoutes: Record<string, (route: RouteCall, app: StandInApp) => Answer> = {
  "GET /app": ({ world, call }, app) => ok(appShape(call.apiUrl, app, installationsOf(world, app).length)),

  "GET /app/installations": ({ world, call }, app) =>
    renderPage(
      call,
      installationsOf(world, app).map((installation) => installationShape(call.apiUrl, installation, app)),
      (installations) => installations,
    ),

  "GET /app/installations/{installation_id}": (route, app) => answerInstallation(route, app, hasIdOf(route)),

  "POST /app/installations/{installation_id}/access_tokens": (route, app) => {
    const { world, call } = route;
    const installation = findInstallation(world, app, hasIdOf(route));
    if (installation.suspended === true) throw refused("suspended");
    const scope = parseTokenRequest(installation, grantedPermissions(installation, app), call.body);
    const minted = world.tokens.mint({ app, installation, scope });
    return { status: 201, body: installationTokenShape(call.apiUrl, minted) };
  },

  "GET /repos/{owner}/{repo}/installation": (route, app) =>
    answerInstallation(
      route,
      app,
      ({ account, repositories }) =>
        isSameName(account.login, route.param("owner")) &&
        repositories.some((name) => isSameName(name, route.param("repo"))),
    ),

  "GET /orgs/{org}/installation": (route, app) =>
    answerInstallation(
      route,
      app,
      ({ account }) => account.type === "Organization" && isSameName(account.login, route.param("org")),
    ),

  // GitHub answers this one for organizations too.
  "GET /users/{username}/installation": (route, app) =>
    answerInstallation(route, app, ({ account }) => isSameName(account.login, route.param("username"))),
};

/** A client asks with an installation token. */
const tokenRoutes: Record<string, (route: RouteCall, token: MintedToken) => Answer> = {
  "GET /installation/repositories": ({ call }, token) => {
    const repositories = repositoryShapes(call.apiUrl, token);
    return renderPage(call, repositories, (shown) => ({
      total_count: repositories.length,
      repository_selection: "selected",
      repositories: shown,
    }));
  },

  "DELETE /installation/token": ({ world }, { token }) => {
    world.tokens.revoke(token);
    return { status: 204 };
  },

  "GET /user": () =>
    problem(403, "Resource not accessible by integration", "/rest/users/users#get-the-authenticated-user"),

  "POST /graphql": ({ call }, { app }) => ok(answerGraphql(call.body, app)),
};

/** Anybody may ask, but not with bad credentials. */
const openRoutes: Record<string, (route: RouteCall, token: MintedToken | undefined) => Answer> = {
  "GET /": ({ call }) => ok(rootShape(call.apiUrl)),

  "GET /rate_limit": ({ world }) => ok(rateLimitShape(world.now())),

  // GitHub hides what a client may not see.
  "GET /repos/{owner}/{repo}": ({ call, param }, token) => {
    const wanted = `${param("owner")}/${param("repo")}`;
    const repositories = token === undefined ? [] : repositoryShapes(call.apiUrl, token);
    const repository = repositories.find(({ full_name: fullName }) => isSameName(fullName, wanted));
    return repository === undefined
      ? problem(404, "Not Found", "/rest/repos/repos#get-a-repository")
      : ok(repository);
  },
};

type Route = { pattern: RegExp; answer: (route: RouteCall) => Answer };

const routes: Route[] = [
  ...compile(appRoutes, ({ world, call }) => verifyAppJwt(world, call.authorization)),
  ...compile(tokenRoutes, ({ world, call }) => {
    const token = authenticate(world, call.authorization);
    if (token === undefined) throw refused("requires_authentication");
    return token;
  }),
  ...compile(openRoutes, ({ world, call }) => authenticate(world, call.authorization)),
];

/** GitHub's answer to a call; what GitHub refuses comes as an answer too. */
export function answerCall(world: World, call: Call): Answer {
  const asked = `${call.method} ${call.path}`;
  for (const { pattern, answer } of routes) {
    const match = pattern.exec(asked);
    if (match !== null) {
      return catchRefusal(() => answer({ world, call, param: (name) => match.groups?.[name] ?? "" }));
    }
  }
  return problem(404, "Not Found");
}

function compile<Caller>(
  table: Record<string, (route: RouteCall, caller: Caller) => Answer>,
  identify: (route: RouteCall) => Caller,
): Route[] {
  return Object.entries(table).map(([template, handle]) => ({
    pattern: new RegExp(`^${template.replaceAll(/\{(\w+)\}/g, "(?<$1>[^/]+)")}$`),
    answer: (route) => handle(route, identify(route)),
  }));
}

function catchRefusal(answer: () => Answer): Answer {
  try {
    return answer();
  } catch (error) {
    if (error instanceof Refused) return error.answer;
    throw error;
  }
}

function answerInstallation(
  { world, call }: RouteCall,
  app: StandInApp,
  isWanted: (installation: StandInInstallation) => boolean,
): Answer {
  return ok(installationShape(call.apiUrl, findInstallation(world, app, isWanted), app));
}

function hasIdOf({ param }: RouteCall): (installation: StandInInstallation) => boolean {
  return ({ id }) => String(id) === param("installation_id");
}

function ok(body: object): Answer {
  return { status: 200, body };
}
