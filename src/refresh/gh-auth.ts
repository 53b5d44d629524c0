import { copyFileSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { errnoOf, messageOf } from "../errors.js";
import { childEnvironment } from "../system/child-environment.js";
import type { Environment } from "../system/paths.js";
import { ensureDirectory, writeFileAtomically } from "../files/atomic-file.js";
import { readIfThere } from "../files/regular-file.js";
import { removeAbandoned, scratchName } from "../files/scratch.js";
import type { Secret } from "../token/secret.js";
import { firstLineOf } from "../token/line-of-output.js";
import { type CommandResult, runCommand } from "../system/run-command.js";

export type GhAuth = { configDir: string; host: string };
export type GhAuthDeps = { env: Environment; timeoutMs: number };

const scratchOf = "takopi-ghauth";
const mostTries = 3;

/**
 * Gives `gh` the token: a real `gh auth login --with-token` in a scratch copy of its configuration, whose hosts.yml
 * then replaces the real one by rename, because gh itself truncates it in place and readers would see it empty.
 * Begins again when somebody wrote hosts.yml meanwhile. Answers null, or why gh was not updated: it is then as it was.
 */
export async function updateGhAuth(deps: GhAuthDeps, gh: GhAuth, token: Secret): Promise<string | null> {
  const scratch = join(gh.configDir, scratchName(scratchOf));
  const clearUp = () => rmSync(scratch, { recursive: true, force: true });
  process.once("exit", clearUp); // we may be stopped first
  try {
    ensureDirectory(gh.configDir);
    removeAbandoned(gh.configDir, scratchOf, "directory");
    for (const name of configFiles) removeAbandoned(gh.configDir, name);
    for (let tries = 0; tries < mostTries; tries++) {
      copyConfig(gh.configDir, scratch);
      const before = textOf(join(scratch, "hosts.yml"));
      const complaint = await logIn(deps, { configDir: scratch, host: gh.host }, token);
      if (complaint !== null) return complaint;
      if (textOf(join(gh.configDir, "hosts.yml")) !== before) continue;
      return publishConfig(scratch, gh.configDir, token);
    }
    return "somebody else keeps writing gh's hosts.yml";
  } catch (error) {
    return messageOf(error);
  } finally {
    process.off("exit", clearUp);
    clearUp();
  }
}

const configFiles = ["hosts.yml", "config.yml"] as const;

function copyConfig(from: string, to: string): void {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { mode: 0o700 });
  for (const name of configFiles) {
    if (textOf(join(from, name)) !== null) copyFileSync(join(from, name), join(to, name));
  }
}

/** config.yml goes along where gh changed it: the two carry one format version. */
function publishConfig(from: string, to: string, token: Secret): string | null {
  const hosts = textOf(join(from, "hosts.yml"));
  if (!hosts?.includes(token.reveal())) return "gh did not store the token in hosts.yml";
  const config = textOf(join(from, "config.yml"));
  if (config !== null && config !== textOf(join(to, "config.yml"))) {
    writeFileAtomically(join(to, "config.yml"), config);
  }
  writeFileAtomically(join(to, "hosts.yml"), hosts);
  return null;
}

async function logIn(deps: GhAuthDeps, { configDir, host }: GhAuth, token: Secret): Promise<string | null> {
  try {
    const result = await runCommand(["gh", "auth", "login", "--hostname", host, "--with-token"], {
      env: ghEnvironment(deps.env, configDir),
      timeoutMs: deps.timeoutMs,
      input: `${token.reveal()}\n`,
    });
    return result.exitCode === 0 ? null : complaintOf(result);
  } catch (error) {
    if (errnoOf(error) === "ENOENT") return "gh is not installed";
    throw error;
  }
}

function complaintOf({ exitCode, signal, timedOut, stderr }: CommandResult): string {
  if (timedOut) return "gh auth login took too long";
  const said = firstLineOf(stderr);
  return `gh auth login ended with ${exitCode ?? signal}${said === "" ? "" : `: ${said}`}`;
}

/** With a token in its environment gh refuses to log in; and it needs neither the key nor our settings. */
const withheld = /^(?:(?:GH|GITHUB)_(?:ENTERPRISE_)?TOKEN|GITHUB_APP_.*|GHAUTH_.*|GH_DEBUG|DEBUG|GH_HOST)$/;

function ghEnvironment(env: Environment, configDir: string): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(childEnvironment(env)).filter(([name]) => !withheld.test(name))),
    GH_CONFIG_DIR: configDir,
    GH_PROMPT_DISABLED: "1",
    GH_NO_UPDATE_NOTIFIER: "1",
    // Services and agents without a session have no keyring: the token belongs into hosts.yml.
    DBUS_SESSION_BUS_ADDRESS: "unix:path=/dev/null",
  };
}

function textOf(path: string): string | null {
  return readIfThere(path)?.text ?? null;
}
