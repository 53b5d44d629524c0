import { type ChildProcessByStdio, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable, Writable } from "node:stream";
import { expect } from "vitest";
import {
  createGitHubStandIn,
  type GitHubStandInOptions,
  type StandInApp,
  type StandInInstallation,
} from "../../src/stand-in/github-stand-in.js";

const keyPair = generateKeyPairSync("rsa", { modulusLength: 2048 });
export const pem = keyPair.privateKey.export({ type: "pkcs1", format: "pem" }).toString();

export const app: StandInApp = {
  id: 123_456,
  clientId: "Iv23liExampleExample",
  slug: "example-app",
  publicKey: keyPair.publicKey,
  permissions: { contents: "write", issues: "write", metadata: "read", pull_requests: "write" },
};

export const installation: StandInInstallation = {
  id: 987_654,
  appId: app.id,
  account: { login: "acme", type: "Organization" },
  repositories: ["site", "tools"],
};

export type RunResult = { exitCode: number | null; signal: string | null; stdout: string; stderr: string };
export type RunOptions = { env?: Record<string, string | undefined>; input?: string | Buffer; cwd?: string };

const checkout = join(import.meta.dirname, "../..");

/** Where the executables are, as a checkout has them. */
export const executables = {
  ghauth: join(checkout, "dist/main.js"),
  refresh: join(checkout, "scripts/takopi-refresh-github-token"),
} as const;

/**
 * A host with a home directory (whose name has a space) and a GitHub stand-in, set up like an operator's: key, settings,
 * nothing else. `await using` ends it, and then checks that nothing that it ran ever printed or logged a secret.
 */
export async function createMachine(github: Partial<GitHubStandInOptions> = {}) {
  const standIn = createGitHubStandIn({ apps: [app], installations: [installation], ...github });
  const baseUrl = await standIn.listen();
  const root = mkdtempSync(join(tmpdir(), "ghauth-test-"));
  const home = join(root, "home of tests");
  const paths = {
    appEnvFile: join(home, ".config/takopi/github-app.env"),
    privateKey: join(home, ".config/takopi/github-app.pem"),
    tokenEnvFile: join(home, ".config/takopi/github-token.env"),
    refreshLog: join(home, ".local/state/takopi/github-token-refresh.jsonl"),
    refreshScript: join(home, ".local/bin/takopi-refresh-github-token"),
    takopiConfig: join(home, ".takopi/takopi.toml"),
  };
  write(paths.privateKey, pem);
  const settings: Record<string, string> = {
    GITHUB_APP_ID: String(app.id),
    GITHUB_APP_INSTALLATION_ID: String(installation.id),
    GITHUB_API_URL: baseUrl,
    GH_AUTH: "off",
  };
  write(
    paths.appEnvFile,
    Object.entries(settings)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(""),
  );

  const emitted: string[] = [];
  const secretsSeen = new Set<string>();
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    LANG: "C.UTF-8",
  };

  const running = new Set<RunningProcess>();
  const start = (words: readonly [string, ...string[]], options: RunOptions = {}): RunningProcess => {
    const [program, ...rest] = words;
    const child = spawn(program, rest, {
      env: { ...environment, ...options.env },
      cwd: options.cwd ?? home,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const process = followProcess(child);
    running.add(process);
    return process;
  };

  const run = async (words: readonly [string, ...string[]], options: RunOptions = {}): Promise<RunResult> => {
    const [program, ...rest] = words;
    const env = { ...environment, ...options.env };
    const child = spawn(program, rest, { env, cwd: options.cwd ?? home, stdio: ["pipe", "pipe", "pipe"] });
    const output = { stdout: "", stderr: "" };
    child.stdout.setEncoding("utf8").on("data", (text: string) => (output.stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (output.stderr += text));
    child.stdin.on("error", () => {}); // a program may end without reading
    child.stdin.end(options.input ?? "");
    await once(child, "close");
    emitted.push(output.stdout, output.stderr);
    for (const token of standIn.liveTokens) secretsSeen.add(token);
    return { exitCode: child.exitCode, signal: child.signalCode, ...output };
  };

  return {
    github: standIn,
    baseUrl,
    root,
    home,
    paths,
    pem,
    env: environment,
    write,
    read: (path: string) => readFileSync(path, "utf8"),
    run,
    /** A process that goes on until it is told to stop. */
    start,
    startGhauth: (args: string[], options: RunOptions = {}): RunningProcess =>
      start([process.execPath, executables.ghauth, ...args], options),
    /** `ghauth run`, once its log says what `ready` matches. */
    startHost: async (ready: RegExp, options: RunOptions = {}): Promise<RunningProcess> => {
      const host = start([process.execPath, executables.ghauth, "run"], options);
      await host.waitFor(ready);
      return host;
    },
    /** What is written to chats: checked for secrets with the rest. */
    sayInChat: (text: string) => void emitted.push(text),
    /** The refresh script, as the timer runs it. */
    refresh: async (options: RunOptions & { args?: string[] } = {}) =>
      run([executables.refresh, ...(options.args ?? [])], options),
    ghauth: async (args: string[], options: RunOptions = {}) =>
      run([process.execPath, executables.ghauth, ...args], options),
    /** The token that the token env file holds; it throws where there is none, so that two of none are not the same. */
    heldToken: (): string => {
      const token = tokenIn(paths.tokenEnvFile);
      if (token === undefined) throw new Error(`${paths.tokenEnvFile} holds no token`);
      return token;
    },
    holdsToken: (): boolean => tokenIn(paths.tokenEnvFile) !== undefined,
    /** The refresh log's entries, oldest first. */
    log: (): unknown[] =>
      existsSync(paths.refreshLog)
        ? readFileSync(paths.refreshLog, "utf8")
            .trim()
            .split("\n")
            .map((line) => JSON.parse(line))
        : [],
    /** What a secret must never be in: everything printed so far, and the log. */
    [Symbol.asyncDispose]: async () => {
      for (const process of running) {
        await process.stop("SIGKILL");
        emitted.push(process.output());
      }
      for (const token of standIn.liveTokens) secretsSeen.add(token);
      if (statSync(paths.refreshLog, { throwIfNoEntry: false })?.isFile())
        emitted.push(readFileSync(paths.refreshLog, "utf8"));
      await standIn.close();
      rmSync(root, { recursive: true, force: true });
      expectNoSecret(emitted.join("\n"), [...secretsSeen]);
    },
  };
}

export type RunningProcess = ReturnType<typeof followProcess>;

/** What a process prints, as it prints it: `waitFor` resolves once all of it so far matches, and rejects if it ends first. */
function followProcess(child: ChildProcessByStdio<Writable, Readable, Readable>) {
  const output = { stdout: "", stderr: "", all: "" };
  const watchers = new Set<() => void>();
  let hasEnded = false;
  const take = (name: "stdout" | "stderr") => (text: string) => {
    output[name] += text;
    output.all += text;
    for (const watch of watchers) watch();
  };
  child.stdout.setEncoding("utf8").on("data", take("stdout"));
  child.stderr.setEncoding("utf8").on("data", take("stderr"));
  child.stdin.on("error", () => {}); // it may end without reading
  const ended = once(child, "close").then((): RunResult => {
    hasEnded = true;
    for (const watch of watchers) watch();
    return {
      exitCode: child.exitCode,
      signal: child.signalCode,
      stdout: output.stdout,
      stderr: output.stderr,
    };
  });
  return {
    pid: child.pid ?? 0,
    ended,
    write: (text: string) => void child.stdin.write(text),
    end: (text: string) => void child.stdin.end(text),
    output: () => output.all,
    waitFor: async (pattern: RegExp): Promise<RegExpExecArray> =>
      new Promise((resolve, reject) => {
        const giveUp = (why: string) => {
          watchers.delete(watch);
          clearTimeout(deadline);
          reject(new Error(`${why} ${pattern.source}:\n${output.all}`));
        };
        const deadline = setTimeout(() => giveUp("It never printed"), 15_000);
        const watch = () => {
          const match = pattern.exec(output.all);
          if (!match) {
            if (hasEnded) giveUp("It ended before");
            return;
          }
          watchers.delete(watch);
          clearTimeout(deadline);
          resolve(match);
        };
        watchers.add(watch);
        watch();
      }),
    stop: async (signal: NodeJS.Signals = "SIGTERM"): Promise<RunResult> => {
      if (!hasEnded) child.kill(signal);
      return ended;
    },
  };
}

function tokenIn(path: string): string | undefined {
  return existsSync(path) ? /^GITHUB_TOKEN=(.+)$/m.exec(readFileSync(path, "utf8"))?.[1] : undefined;
}

export type Machine = Awaited<ReturnType<typeof createMachine>>;

function write(path: string, text: string, mode = 0o600): void {
  mkdirSync(join(path, ".."), { recursive: true, mode: 0o700 });
  writeFileSync(path, text, { mode });
  chmodSync(path, mode);
}

/** Fails where text holds any 12 consecutive characters of a token, what looks like one, a JWT or a private key. */
export function expectNoSecret(text: string, tokens: readonly string[]): void {
  expect(text).not.toMatch(/gh[a-z]_[A-Za-z0-9._-]{12,}|eyJ[A-Za-z0-9_-]{10,}\.|PRIVATE KEY-----\s*MII/);
  expect(tokens.filter(({ length }) => length < leakLength)).toEqual([]);
  const pieces = new Set(tokens.flatMap((token) => piecesOf(token)));
  const leaked = piecesOf(text).find((piece) => pieces.has(piece));
  expect(leaked, `12 characters of a token in ${text}`).toBeUndefined();
}

const leakLength = 12;

function piecesOf(text: string): string[] {
  return Array.from({ length: Math.max(0, text.length - leakLength + 1) }, (_, at) =>
    text.slice(at, at + leakLength),
  );
}
