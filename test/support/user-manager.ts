import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createMachine, type RunResult } from "./machine.js";

/** Why no user manager can be started here, or null; where CI=true, it must be possible. */
export const noUserManager: string | null = (() => {
  if (process.env["CI"] === "true") return null;
  if (process.platform !== "linux") return "it takes Linux";
  if (process.getuid?.() !== 0) return "it takes root, for namespaces of its own";
  if (!existsSync("/lib/systemd/systemd")) return "systemd is not installed";
  return spawnSync("unshare", ["--mount", "--pid", "--cgroup", "--fork", "true"]).status === 0
    ? null
    : "namespaces are not permitted";
})();

const user = "operator";
const uid = 4242;
const checkout = "/run/checkout";

export type UserManagerOptions = { home?: string; lingering?: boolean };

/**
 * An ordinary user of a server with a real `systemd --user`, and a GitHub stand-in. The checkout is mounted read-only
 * at `/run/checkout`. `await using` ends all of it.
 */
export async function createUserManager({
  home = "/home/the operator's",
  lingering = true,
}: UserManagerOptions = {}) {
  const machine = await createMachine();
  const directory = mkdtempSync(join(tmpdir(), "ghauth-user-manager-"));
  const cgroup = join(cgroupRoot(), basename(directory));
  mkdirSync(cgroup);
  const settings = {
    cgroup,
    user,
    uid: String(uid),
    home,
    checkout: join(import.meta.dirname, "../.."),
    node: process.execPath,
    lingering: lingering ? "yes" : "no",
  };
  writeFileSync(
    join(directory, "settings.sh"),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${shellQuote(value)}\n`)
      .join(""),
  );
  const child = spawn("bash", [join(import.meta.dirname, "user-manager.sh"), directory], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (text: Buffer) => (said += text.toString()));
    child.stdout.on("data", () => resolve());
    child.once("exit", () => reject(new Error(`no user manager: ${said}`)));
  });
  const init = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, "utf8").trim();

  const env: Record<string, string> = {
    PATH: `${home}/.local/bin:/run/node:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    USER: user,
    LANG: "C.UTF-8",
    XDG_RUNTIME_DIR: `/run/user/${uid}`,
  };
  const inside = ["nsenter", "--target", init, "--mount", "--pid", "--ipc", "--cgroup", "--"] as const;

  /** Runs a program as the user, in its home. */
  const run = async (words: string[], extra: Record<string, string> = {}): Promise<RunResult> =>
    machine.run(
      [
        ...inside,
        ...["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups"],
        ...["env", "-i", "-C", home],
        ...Object.entries({ ...env, ...extra }).map(([name, value]) => `${name}=${value}`),
        ...words,
      ],
      { cwd: "/" },
    );
  /** A shell script, as the user; `$1` and so on are `args`. */
  const sh = async (script: string, ...args: string[]): Promise<RunResult> =>
    run(["bash", "-c", script, "bash", ...args]);
  const systemctl = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(["systemctl", "--user", ...args]);
    if (exitCode !== 0) throw new Error(`systemctl ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };

  return {
    machine,
    github: machine.github,
    home,
    run,
    sh,
    systemctl,
    /** What an operator sets for bootstrap; the key is given by path. */
    settings: {
      GITHUB_APP_ID: "123456",
      GITHUB_APP_INSTALLATION_ID: "987654",
      GITHUB_APP_PRIVATE_KEY_PATH: `${home}/app key.pem`,
      GITHUB_API_URL: machine.baseUrl,
    },
    script: async (name: string, args: string[] = [], extra: Record<string, string> = {}) =>
      run([`${checkout}/scripts/${name}`, ...args], extra),
    /** Writes a file in the user's home, by a name relative to it. */
    write: async (name: string, text: string, mode = "600") => {
      const result = await machine.run(
        [
          ...inside,
          ...["setpriv", "--reuid", String(uid), "--regid", String(uid), "--clear-groups"],
          "bash",
          "-c",
          'umask 077; mkdir -p -- "${1%/*}"; cat >"$1"; chmod "$2" -- "$1"',
          "bash",
          join(home, name),
          mode,
        ],
        { input: text, cwd: "/" },
      );
      if (result.exitCode !== 0) throw new Error(result.stderr);
    },
    read: async (name: string): Promise<string> => (await sh('cat -- "$1"', join(home, name))).stdout,
    /** A property of a unit. */
    property: async (unit: string, name: string) => systemctl("show", `--property=${name}`, "--value", unit),
    [Symbol.asyncDispose]: async () => {
      try {
        process.kill(Number(init), "SIGKILL");
        await ended;
        await removeCgroup(cgroup);
        rmSync(directory, { recursive: true, force: true });
      } finally {
        await machine[Symbol.asyncDispose]();
      }
    },
  };
}

export type UserManager = Awaited<ReturnType<typeof createUserManager>>;

/** Asks until `check` answers something, as things take their time in another process. */
export async function eventually<T>(
  check: () => Promise<T | undefined | false>,
  limitMs = 15_000,
): Promise<T> {
  const until = performance.now() + limitMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`not within ${limitMs} ms`);
    await delay(50);
  }
}

function cgroupRoot(): string {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

/** Its processes have been killed; the kernel lets go of the directories a moment later. */
async function removeCgroup(path: string): Promise<void> {
  await eventually(async () => {
    spawnSync("find", [path, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
    return !existsSync(path);
  });
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
