#!/usr/bin/env node
import { GhauthError, messageOf, toGhauthError } from "../errors.js";
import { runProgram } from "../command-line/run-program.js";
import { type Options, verb } from "../command-line/verb.js";
import { systemClock } from "../system/clock.js";
import { type Paths, resolvePaths } from "../system/paths.js";
import { processStartedAt } from "../system/process-start.js";
import { appendRefreshLog, isRequester } from "../token/refresh-log.js";
import { redact } from "../token/redact.js";
import type { Secret } from "../token/secret.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { answerFilesOf } from "./git-answers.js";
import { commandLine } from "./command-line.js";
import { refreshUnderLock } from "./locked-refresh.js";
import { parseRefreshConfig } from "./refresh-config.js";
import { complaintsOf } from "../source/parse-all.js";
import { adoptProxy, readRefreshSettings } from "../source/settings.js";
import { renderSettingsFile } from "./render-settings-file.js";
import { showSettings } from "./show-settings.js";
import {
  readHeld,
  type Report,
  reportFailure,
  reportRefreshed,
  reportStopped,
  skippedSentence,
} from "./report.js";

const { env } = process;
const clock = systemClock;
const { now } = clock;
process.umask(0o077); // whatever ours was: what this program makes is for its user alone

/** Each is another thing to do. */
const modes = ["revoke", "check", "settings", "settingsFile"] as const;

async function main(options: Options<typeof commandLine.options>): Promise<number> {
  const [mode, otherMode] = modes.filter((name) => options[name]);
  if (otherMode !== undefined)
    throw new GhauthError("usage", "--revoke, --check, --settings and --settings-file: ask for one of them.");
  if (mode === "check") return runCheck();
  try {
    const paths = resolvePaths(env);
    if (options.settings) return tell(() => currentSettings(paths));
    if (options.settingsFile) return tell(() => renderSettingsFile(env, paths, process.cwd()));
    return await run(paths, options);
  } catch (thrown) {
    const { message, exitCode } = toGhauthError(thrown);
    return say("stderr", redact(message), exitCode);
  }
}

function currentSettings(paths: Paths): string {
  const settings = readRefreshSettings(env, paths);
  const extraCaFile = env["NODE_EXTRA_CA_CERTS"] || settings["NODE_EXTRA_CA_CERTS"];
  const used = { ...settings, NODE_EXTRA_CA_CERTS: extraCaFile }; // Node itself has read the environment's
  return showSettings(used, parseRefreshConfig(used, paths), paths);
}

/** Prints what was asked for, or all that is wrong with the settings. */
function tell(render: () => string): number {
  try {
    return say("stdout", render().replace(/\n$/, ""), 0);
  } catch (thrown) {
    const error = toGhauthError(thrown);
    return say("stderr", redact(complaintsOf(error).join("\n")), error.exitCode);
  }
}

async function runCheck(): Promise<number> {
  const { check, reportStoppedCheck } = await import("./check.js");
  const print = (result: Awaited<ReturnType<typeof check>>) =>
    say("stdout", JSON.stringify(result.check), result.exit);
  onStopSignal((signal) => print(reportStoppedCheck(signal)));
  return print(await check({ clock, env }));
}

async function run(
  paths: Paths,
  { force = false, revoke: revokes = false }: { force?: boolean; revoke?: boolean },
): Promise<number> {
  const secrets: Secret[] = [];
  let tokenEnvFile = paths.tokenEnvFile;
  let found: TokenFile = { type: "missing" };
  const conclude = (report: Report): number => {
    const sentence = oneLine(redact(report.sentence, secrets));
    record(paths.refreshLog, { ...report, sentence });
    return say(report.ok ? "stdout" : "stderr", sentence, report.exit);
  };
  const standing = () => ({ held: readHeld(tokenEnvFile, paths.refusedTokens), now: now() });
  onStopSignal((signal) => conclude(reportStopped(signal, { found, ...standing() })));
  try {
    const settings = readRefreshSettings(env, paths);
    adoptProxy(settings, env);
    const config = parseRefreshConfig(settings, paths);
    ({ tokenEnvFile } = config);
    found = readTokenFile(tokenEnvFile);
    if (found.type === "token") secrets.push(found.token.secret);
    const refreshed = await refreshUnderLock(
      {
        clock,
        random: Math.random,
        env,
        lockFile: paths.refreshLock,
        refusedTokens: paths.refusedTokens,
        gitAnswers: paths.gitAnswers,
        answerFiles: answerFilesOf(tokenEnvFile, paths),
      },
      config,
      {
        force: force || revokes,
        revokes,
        startedAt: processStartedAt(now()),
        found,
        seenEpoch: parseEpoch(env["GHAUTH_SEEN_EPOCH"]),
      },
    );
    if (!refreshed) return say("stdout", skippedSentence, 0);
    secrets.push(refreshed.token.secret);
    return conclude(reportRefreshed(refreshed, { config, now: now(), home: paths.home, revokes }));
  } catch (thrown) {
    return conclude(reportFailure(toGhauthError(thrown), standing()));
  }
}

/** Words of GitHub's, gh's or a command's may hold line breaks and control characters. */
function oneLine(text: string): string {
  return text.replaceAll(/[\s\p{Cc}]+/gu, " ").trim();
}

function parseEpoch(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,11}$/.test(text) ? Number(text) : null;
}

function record(path: string, report: Report): void {
  const at = new Date(clock.now().getTime() - clock.elapsedMs()).toISOString();
  try {
    appendRefreshLog(path, {
      at,
      trigger: triggerOf(env["GHAUTH_TRIGGER"]),
      by: requesterOf(env["GHAUTH_BY"]),
      ms: Math.round(clock.elapsedMs()),
      ...report,
    });
  } catch (error) {
    say("stderr", `The refresh log ${path} cannot be written: ${messageOf(error)}.`, 0);
  }
}

function triggerOf(text: string | undefined): string {
  return text !== undefined && /^[a-z][a-z0-9_-]{0,31}$/.test(text) ? text : "manual";
}

function requesterOf(text: string | undefined): string | null {
  return isRequester(text) ? text : null;
}

function say(stream: "stdout" | "stderr", text: string, exitCode: number): number {
  process[stream].write(`${text}\n`);
  return exitCode;
}

function onStopSignal(conclude: (signal: NodeJS.Signals) => number): void {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(conclude(signal)));
  }
}

// Whoever started us may be gone: the refresh goes on without a reader.
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});

const program = verb({ ...commandLine, load: async () => ({ main }) });
// At once: tearing Node down in good order takes 5 ms more, and nothing is left to do.
runProgram({ name: "takopi-refresh-github-token", program }, process.argv.slice(2)).then(
  (exitCode) => process.exit(exitCode),
  (thrown: unknown) => process.exit(say("stderr", redact(messageOf(thrown)), 75)),
);
