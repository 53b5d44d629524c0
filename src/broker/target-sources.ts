import { GhauthError } from "../errors.js";
import { createGitHubRequest } from "../github/github-api.js";
import { createHttpClient } from "../github/http-client.js";
import { explainRefusal } from "../github/explain.js";
import { type AppClient, createAppClient } from "../source/app-client.js";
import type { AppSourceConfig, TokenSourceConfig } from "../source/source-config.js";
import { createTokenSource, type SourceDeps, type TokenSource } from "../source/token-source.js";
import type { Clock } from "../system/clock.js";
import type { Environment } from "../system/paths.js";
import { createInstallations, type Place } from "./installations.js";
import { isWholeScope, normalizeScope, type TokenTarget } from "./token-target.js";

/** What a target comes to: a `key` that is the same for all who may share the token, and the source that yields it. */
export type ResolvedTarget = {
  key: string;
  source: TokenSource;
  /** Makes the next `resolve` ask GitHub again; null where it did so this time. */
  forget: (() => void) | null;
};

export type TargetSources = {
  /** The target as `resolve` would answer, where it need not ask anybody; else null. */
  recall: (target: TokenTarget) => ResolvedTarget | null;
  /** Rejects with `scope_unavailable` where the target can't be had, else as looking an installation up does. */
  resolve: (target: TokenTarget) => Promise<ResolvedTarget>;
  /** Whether tokens can be had at all, found out as cheaply as can be. */
  probe: () => Promise<void>;
  close: () => void;
};

export type TargetSourcesDeps = { clock: Clock; env: Environment };

/** Tokens from the configured source. Rejects where its key or file is unusable. */
export async function createTargetSources(
  { clock, env }: TargetSourcesDeps,
  config: TokenSourceConfig,
): Promise<TargetSources & { request: SourceDeps["request"] }> {
  const timeLeftMs = () => config.deadlineSeconds * 1000;
  const http = createHttpClient({ timeLeftMs, extraCaFile: config.extraCaFile });
  const request = createGitHubRequest(http.request, config.apiUrl);
  const deps = { http: http.request, request, clock, timeLeftMs, env };
  const sources =
    config.source.type === "app"
      ? createAppSources(deps, { ...config.source, host: config.apiUrl.host })
      : createWholeSource(await createTokenSource(deps, config), config.source.type);
  return { ...sources, request, close: http.close };
}

type AppConfig = AppSourceConfig & { host: string };

function createAppSources(deps: SourceDeps, config: AppConfig): Omit<TargetSources, "close"> {
  const app = createAppClient(deps, config);
  const installations = createInstallations({ appRequest: app.appRequest, clock: deps.clock }, config);
  const resolved = (id: string, { scope }: TokenTarget, forget: ResolvedTarget["forget"]): ResolvedTarget => {
    const mintTarget = { ...config, installationId: id, scope };
    return {
      key: `${config.host} ${config.appId} ${id} ${normalizeScope(scope)}`,
      source: {
        obtain: async () => app.mint(mintTarget),
        diagnose: async (refusal) => app.diagnose(refusal, mintTarget),
      },
      forget,
    };
  };
  const recalled = new WeakMap<TokenTarget, { id: string; answer: ResolvedTarget }>();
  return {
    recall: (target) => {
      const place = placeOf(target, config);
      const id = place === null ? config.installationId : installations.recall(place);
      if (id === null || isDenied(id, target, config)) return null;
      const known = recalled.get(target);
      if (known?.id === id) return known.answer;
      const answer = resolved(id, target, place && (() => installations.forget(place)));
      recalled.set(target, { id, answer });
      return answer;
    },
    resolve: async (target) => {
      const place = placeOf(target, config);
      if (place === null) return resolved(config.installationId ?? "", target, null);
      const { id, isRemembered } = await installations.find(place);
      if (isDenied(id, target, config)) {
        throw new GhauthError(
          "scope_unavailable",
          `${place.owner} is not the owner of installation ${config.installationId}.`,
        );
      }
      return resolved(id, target, isRemembered ? () => installations.forget(place) : null);
    },
    probe: async () => askForApp(app, config),
  };
}

/** Where a target's installation is to be looked up; null where it is the configured one. */
function placeOf({ scope, installation }: TokenTarget, { installationId }: AppConfig): Place | null {
  if (installation === "configured" && installationId !== null) return null;
  if (scope.owner === null) {
    throw new GhauthError(
      "config_invalid",
      "GITHUB_APP_INSTALLATION_ID is not set, and no repository names an owner: set it, or ask for repositories by name.",
    );
  }
  return { owner: scope.owner, repository: scope.repositories[0] ?? null };
}

function isDenied(id: string, { installation }: TokenTarget, { installationId }: AppConfig): boolean {
  return installation === "configured_or_denied" && installationId !== null && id !== installationId;
}

async function askForApp({ appRequest }: AppClient, { host, appId }: AppConfig): Promise<void> {
  const answer = await appRequest({ method: "GET", path: "/app" });
  if (answer.status !== 200) throw explainRefusal(answer, { host, appId });
}

/** A broker's or a command's token reaches what it reaches. */
function createWholeSource(source: TokenSource, type: string): Omit<TargetSources, "close"> {
  const whole = { key: type, source, forget: null };
  return {
    recall: ({ scope }) => (isWholeScope(scope) ? whole : null),
    resolve: async ({ scope }) => {
      if (isWholeScope(scope)) return whole;
      throw new GhauthError(
        "scope_unavailable",
        `Tokens come from GITHUB_TOKEN_SOURCE=${type}, which cannot be narrowed: only whole ones can be had.`,
      );
    },
    probe: async () => void (await source.obtain()),
  };
}
