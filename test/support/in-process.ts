import { toGhauthError } from "../../src/errors.js";
import { answerFilesOf } from "../../src/refresh/git-answers.js";
import { refreshUnderLock } from "../../src/refresh/locked-refresh.js";
import { parseRefreshConfig } from "../../src/refresh/refresh-config.js";
import { readRefreshSettings } from "../../src/source/settings.js";
import { readHeld, type Report, reportFailure, reportRefreshed } from "../../src/refresh/report.js";
import type { Clock } from "../../src/system/clock.js";
import { resolvePaths } from "../../src/system/paths.js";
import { readTokenFile } from "../../src/token/token-file.js";
import type { Machine } from "./machine.js";

/** A clock on which waiting takes no time: `elapsedMs` counts what was slept, and `slept` lists it. */
export function createVirtualClock(): Clock & { slept: number[] } {
  const slept: number[] = [];
  return {
    slept,
    now: () => new Date(),
    elapsedMs: () => slept.reduce((sum, ms) => sum + ms, 0),
    sleep: async (ms) => {
      slept.push(ms);
    },
  };
}

export type InProcessOptions = {
  env?: Record<string, string>;
  clock?: Clock;
  random?: () => number;
};

/** The refresh program without its process, on a clock that does not wait: what a table of cases can afford. */
export async function refreshInProcess(
  machine: Machine,
  { env = {}, clock = createVirtualClock(), random = () => 0.5 }: InProcessOptions = {},
): Promise<Report> {
  const environment = { ...machine.env, ...env };
  const paths = resolvePaths(environment);
  let tokenEnvFile = paths.tokenEnvFile;
  try {
    const config = parseRefreshConfig(readRefreshSettings(environment, paths), paths);
    ({ tokenEnvFile } = config);
    const refreshed = await refreshUnderLock(
      {
        clock,
        random,
        env: environment,
        lockFile: paths.refreshLock,
        refusedTokens: paths.refusedTokens,
        gitAnswers: paths.gitAnswers,
        answerFiles: answerFilesOf(tokenEnvFile, paths),
      },
      config,
      {
        force: true,
        revokes: false,
        startedAt: clock.now(),
        found: readTokenFile(tokenEnvFile),
        seenEpoch: null,
      },
    );
    if (!refreshed) throw new Error("a forced refresh minted nothing");
    return reportRefreshed(refreshed, { config, now: clock.now(), home: paths.home, revokes: false });
  } catch (thrown) {
    return reportFailure(toGhauthError(thrown), {
      held: readHeld(tokenEnvFile, paths.refusedTokens),
      now: clock.now(),
    });
  }
}
