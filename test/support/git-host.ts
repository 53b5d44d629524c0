import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import type { GitHubStandInOptions } from "../../src/stand-in/github-stand-in.js";
import { writeAnswerFiles } from "../../src/token/answer-files.js";
import { Secret } from "../../src/token/secret.js";
import { createMachine, executables, expectNoSecret, type RunOptions, type RunResult } from "./machine.js";

const scripts = join(import.meta.dirname, "../../scripts");

/** The shells that /bin/sh is on Debian and on Alpine. */
export const shells: { shell: string; words: [string, ...string[]] }[] = [
  { shell: "dash", words: ["dash"] },
  { shell: "busybox", words: ["busybox", "sh"] },
];

/** A token that GitHub never gave, in the long form. */
export const exampleToken = `ghs_123456_${"Ab0-_".repeat(50)}.${"Cd1".repeat(50)}.${"Ef2".repeat(40)}`;

export type HelperOptions = RunOptions & { words?: readonly [string, ...string[]] };

/** The lines that git sends for a remote, without the blank one. */
export const ask = (host = "github.com", ...more: string[]): string =>
  ["protocol=https", `host=${host}`, ...more, ""].join("\n");

/** A machine on which bootstrap has run and git-credential-ghauth is on PATH. */
export async function createGitHost(github: Partial<GitHubStandInOptions> = {}) {
  const machine = await createMachine(github);
  const { home, paths } = machine;
  const bin = join(home, ".local/bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(executables.refresh, paths.refreshScript);
  symlinkSync(join(scripts, "git-credential-ghauth"), join(bin, "git-credential-ghauth"));
  machine.env["PATH"] = `${bin}:${machine.env["PATH"]}`;
  const state = join(home, ".local/state/takopi");
  const marks = join(state, "refused");
  const answers = join(state, "git");

  /** Writes a token env file as the refresh script does; without `seconds` nobody knows how long it lasts. */
  const hold = (token: string, seconds?: number) => {
    const epoch = Math.floor(Date.now() / 1000) + (seconds ?? 0);
    const expiry =
      seconds === undefined
        ? []
        : [
            `GITHUB_TOKEN_EXPIRES_AT=${new Date(epoch * 1000).toISOString()}`,
            `GITHUB_TOKEN_EXPIRES_EPOCH=${epoch}`,
          ];
    machine.write(
      paths.tokenEnvFile,
      [`GITHUB_TOKEN=${token}`, `GH_TOKEN=${token}`, ...expiry, ""].join("\n"),
    );
    return epoch;
  };

  return Object.assign(machine, {
    marks,
    answers,
    hold,
    /** Holds a token as a publish leaves it: with git's answers for these hosts, and for no others. */
    publish: (token: string, seconds: number, hosts: readonly string[] = ["github.com"]) => {
      const epoch = hold(token, seconds);
      writeAnswerFiles(
        { directory: answers, hosts, tokenEnvFile: paths.tokenEnvFile },
        { secret: new Secret(token), expiresAt: new Date(epoch * 1000) },
      );
      return epoch;
    },
    /** Holds the token that a refresh published as if it lasted these seconds. */
    ageTo: (seconds: number) => hold(machine.heldToken(), seconds),
    /** Runs the credential helper, whose stdout is where a token belongs; its stderr never shows one. */
    helper: async (action: string[], options: HelperOptions = {}): Promise<RunResult> => {
      const [program, ...rest] = options.words ?? ["sh"];
      const result = await run([program, ...rest, join(bin, "git-credential-ghauth"), ...action], {
        ...options,
        env: { ...machine.env, ...options.env },
        cwd: options.cwd ?? home,
      });
      expectNoSecret(result.stderr, [exampleToken, ...machine.github.liveTokens]);
      return result;
    },
    /** The hashes of the tokens that are marked as refused. */
    marked: () => (existsSync(marks) ? readdirSync(marks) : []),
    /** The hosts for which git's answer lies ready. */
    answered: () => (existsSync(answers) ? readdirSync(answers).sort() : []),
  });
}

export type GitHost = Awaited<ReturnType<typeof createGitHost>>;

async function run(
  [program, ...words]: readonly [string, ...string[]],
  options: RunOptions,
): Promise<RunResult> {
  const child = spawn(program, words, { env: options.env, cwd: options.cwd, stdio: "pipe" });
  const output = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
  child.stdin.on("error", () => {}); // a program may end without reading
  child.stdin.end(options.input ?? "");
  await once(child, "close");
  return { exitCode: child.exitCode, signal: child.signalCode, ...output };
}

/** What the helper prints for a token. */
export const answerOf = (token: string | undefined, epoch?: number): string =>
  [
    "username=x-access-token",
    `password=${token}`,
    ...(epoch === undefined ? [] : [`password_expiry_utc=${epoch}`]),
    "",
    "",
  ].join("\n");

export const sha256 = (text: string | undefined): string =>
  createHash("sha256")
    .update(text ?? "")
    .digest("hex");

/** A refresh script that notes that it was run, says something and ends with this code. */
export function fakeRefreshScript(host: GitHost, exitCode: number, says = ""): string {
  const path = join(host.home, "fake refresh");
  host.write(
    path,
    `#!/bin/sh\nprintf '%s %s\\n' "$GHAUTH_TRIGGER" "$GHAUTH_SEEN_EPOCH" >>"$HOME/ran"\nprintf '%s\\n' '${says}'\nexit ${exitCode}\n`,
    0o755,
  );
  return path;
}

/** What the fake refresh script was told, a line per run. */
export function fakeRuns(host: GitHost): string[] {
  const path = join(host.home, "ran");
  return existsSync(path) ? readFileSync(path, "utf8").trim().split("\n") : [];
}
