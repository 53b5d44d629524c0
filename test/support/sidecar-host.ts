import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import type { GitHubStandInOptions } from "../../src/stand-in/github-stand-in.js";
import { app, createMachine, executables, installation } from "./machine.js";
import { startProgram } from "./live-program.js";

export const repository = "https://github.com/acme/site.git";

/** A line of the sidecar's log. */
export type LogLine = { time: string; level: string; event: string } & Record<string, unknown>;

export function parseLog(output: string): LogLine[] {
  return output
    .split("\n")
    .filter(Boolean)
    .map((line): LogLine => JSON.parse(line));
}

/** A machine with a secret as Kubernetes mounts it (symbolic links, mode 0644) and a token directory in memory. */
export async function createSidecarHost(github: Partial<GitHubStandInOptions> = {}) {
  const machine = await createMachine(github);
  const directory = mkdtempSync("/dev/shm/ghauth-test-");
  const secretsDir = join(machine.root, "secrets");
  const secret: Record<string, string> = {
    "app-id": `${app.id}\n`,
    "installation-id": `${installation.id}\n`,
    "private-key": machine.pem,
  };
  const mountSecret = (files: Record<string, string | undefined>, version = "..2026_11_21") => {
    for (const [name, text] of Object.entries({ ...secret, ...files })) {
      if (text === undefined) continue;
      machine.write(join(secretsDir, version, name), text, 0o644);
      if (!existsSync(join(secretsDir, name))) symlinkSync(`..data/${name}`, join(secretsDir, name));
    }
    chmodSync(join(secretsDir, version), 0o755);
    symlinkSync(version, join(secretsDir, "..new"));
    renameSync(join(secretsDir, "..new"), join(secretsDir, "..data"));
  };
  mkdirSync(secretsDir);
  mountSecret({});
  const tokenFile = join(directory, "token");
  const env: Record<string, string> = {
    PATH: machine.env["PATH"] ?? "",
    GITHUB_API_URL: machine.baseUrl,
    GITHUB_APP_SECRETS_DIR: secretsDir,
    GITHUB_TOKEN_FILE: tokenFile,
    WORKSPACE_REPOS: repository,
  };

  return {
    ...machine,
    directory,
    tokenFile,
    secretsDir,
    sidecarEnv: env,
    mountSecret,
    sidecar: async (args: string[] = [], more: Record<string, string> = {}) =>
      machine.run([process.execPath, executables.ghauth, "sidecar", ...args], { env: { ...env, ...more } }),
    startSidecar: (args: string[] = [], more: Record<string, string> = {}) =>
      startProgram([process.execPath, executables.ghauth, "sidecar", ...args], {
        env: { ...env, ...more },
        cwd: "/",
      }),
    token: (): string | undefined => (existsSync(tokenFile) ? readFileSync(tokenFile, "utf8") : undefined),
    [Symbol.asyncDispose]: async () => {
      rmSync(directory, { recursive: true, force: true });
      await machine[Symbol.asyncDispose]();
    },
  };
}

export type SidecarHost = Awaited<ReturnType<typeof createSidecarHost>>;

/** What GitHub was asked to scope the newest token to. */
export function scopeAsked({ github }: SidecarHost): unknown {
  const mint = github.requests.findLast(({ path }) => path.endsWith("/access_tokens"));
  return JSON.parse(mint?.body ?? "null");
}
