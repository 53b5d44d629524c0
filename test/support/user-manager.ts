import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import { createMachine, type RunResult } from "./machine.js";

/** Why no user manager can be started here, or null; where CI=true, it must be possible. */
export const noUserManager: string | null = (() => {
  if (process.env["CI"] === "true") return null;
  if (process.platform !== "linux") return "it takes Linux";
  if (process.getuid?.() !== 0) return "it takes root, for namespaces of its own";
  if (!existsSync("/lib/systemd/systemd")) return "systemd is not installed";
  if (!existsSync("/usr/lib/systemd/user/dbus.socket")) return "dbus-user-session is not installed";
  return spawnSync("unshare", ["--mount", "--pid", "--cgroup", "--fork", "true"]).status === 0
    ? null
    : "namespaces are not permitted";
})();

const user = "operator";
const uid = 4242;

/** Where the user finds the checkout, which is mounted read-only. */
export const checkout = "/run/checkout";

export type UserManagerOptions = { home?: string; lingering?: boolean; ticking?: boolean };

/**
 * An ordinary user of a server, with a real `systemd --user` and a GitHub stand-in; its home has a space and an
 * apostrophe. Unless `ticking`, the refresh timer waits for the year 2099, so that no tick comes into a test's way.
 * `await using` ends all of it, and checks that nothing printed a secret.
 */
export async function createUserManager({
  home = "/home/the operator's",
  lingering = true,
  ticking = false,
}: UserManagerOptions = {}) {
  const machine = await createMachine();
  const directory = mkdtempSync(join(tmpdir(), "ghauth-user-manager-"));
  const shared = join(directory, "shared");
  mkdirSync(shared);
  chmodSync(shared, 0o755);
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
    ticking: ticking ? "yes" : "no",
  };
  writeFileSync(
    join(directory, "settings.sh"),
    Object.entries(settings)
      .map(([name, value]) => `${name}=${shellQuote(value)}\n`)
      .join(""),
  );
  const manager = spawn("bash", [join(import.meta.dirname, "user-manager.sh"), directory], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  await isReady(manager);
  const init = readFileSync(`/proc/${manager.pid}/task/${manager.pid}/children`, "utf8").trim();

  /** A path of the user's, as this process reaches it. */
  const path = (name: string) => join(`/proc/${init}/root`, home, name);
  const env = {
    PATH: `${home}/.local/bin:/run/node:/usr/local/bin:/usr/bin:/bin`,
    HOME: home,
    USER: user,
    LANG: "C.UTF-8",
    XDG_RUNTIME_DIR: `/run/user/${uid}`,
  };
  const enter = ["--target", init, "--mount", "--pid", "--ipc", "--cgroup"];
  const become = ["--reuid", String(uid), "--regid", String(uid), "--clear-groups"];

  /** Runs a program as the user, in its home; `without` names variables that it is not to have. */
  const run = async (
    words: string[],
    {
      env: extra = {},
      without = [],
      input = "",
    }: { env?: Record<string, string>; without?: string[]; input?: string } = {},
  ): Promise<RunResult> => {
    const variables: Record<string, string | undefined> = { ...env, ...extra };
    for (const name of without) variables[name] = undefined;
    return machine.run(
      ["/usr/bin/nsenter", ...enter, "/usr/bin/setpriv", ...become, "/usr/bin/env", "-C", home, ...words],
      { cwd: "/", env: variables, input },
    );
  };
  const systemctl = async (...args: string[]): Promise<string> => {
    const { exitCode, stdout, stderr } = await run(["systemctl", "--user", ...args]);
    if (exitCode !== 0) throw new Error(`systemctl ${args.join(" ")}: ${stderr}`);
    return stdout.trim();
  };
  /** Writes a file of the user's, and the directories that it takes. */
  const write = (name: string, text: string, mode = 0o600): void => {
    const missing = [];
    for (let at = dirname(path(name)); !existsSync(at); at = dirname(at)) missing.push(at);
    for (const made of missing.toReversed()) {
      mkdirSync(made, { mode: 0o700 });
      chownSync(made, uid, uid);
    }
    writeFileSync(path(name), text);
    chmodSync(path(name), mode);
    chownSync(path(name), uid, uid);
  };

  return {
    github: machine.github,
    baseUrl: machine.baseUrl,
    pem: machine.pem,
    home,
    user,
    env,
    run,
    systemctl,
    path,
    write,
    read: (name: string) => readFileSync(path(name), "utf8"),
    has: (name: string) => existsSync(path(name)),
    /** What an operator gives to bootstrap, whose key lies in the home. */
    settings: {
      GITHUB_APP_ID: "123456",
      GITHUB_APP_INSTALLATION_ID: "987654",
      GITHUB_APP_PRIVATE_KEY_PATH: `${home}/app key.pem`,
      GITHUB_API_URL: machine.baseUrl,
      GH_AUTH: "off",
    },
    /** Runs a script of the checkout. */
    script: async (name: string, args: string[] = [], extra: Record<string, string> = {}) =>
      run([`${checkout}/scripts/${name}`, ...args], { env: extra }),
    /** A property of a unit. */
    property: async (unit: string, name: string) => systemctl("show", `--property=${name}`, "--value", unit),
    /** What a boot does to the user's units: the manager ends, with all that it runs, and begins anew. */
    restartManager: async () => {
      const managers = `/proc/${init}/root/run/managers`;
      const next = String(readdirSync(managers).length + 1);
      await run(["systemctl", "--user", "exit"]); // it may be gone before it answers
      await eventually(() => existsSync(join(managers, next)));
    },
    /** Adds a drop-in to a unit and makes the manager read it. */
    dropIn: async (unit: string, text: string) => {
      write(`.config/systemd/user/${unit}.d/test.conf`, text, 0o644);
      await systemctl("daemon-reload");
    },
    /** Lets gh reach the stand-in under GitHub's own name. */
    connectGh: async () => {
      const socketPath = await machine.github.listen({ socketPath: join(shared, "github.sock") });
      chmodSync(socketPath, 0o777);
      write(".config/gh/config.yml", "http_unix_socket: /run/shared/github.sock\n");
    },
    /** All files and links below the home, with what would tell that one was touched. */
    listFiles: async () =>
      (await run(["find", ".", "-mindepth", "1", "-printf", "%P %y %m %T@ %l\n"])).stdout.split("\n").sort(),
    [Symbol.asyncDispose]: async () => {
      process.kill(Number(init), "SIGKILL");
      if (manager.exitCode === null && manager.signalCode === null) await once(manager, "exit");
      await removeCgroup(cgroup);
      rmSync(directory, { recursive: true, force: true });
      await machine[Symbol.asyncDispose]();
    },
  };
}

export type UserManager = Awaited<ReturnType<typeof createUserManager>>;

/** Such a user for whom bootstrap has just set up the refresh. */
export async function createBootstrappedUser(options: UserManagerOptions = {}): Promise<UserManager> {
  const host = await createUserManager(options);
  host.write("app key.pem", host.pem);
  const { exitCode, stderr } = await host.script("bootstrap_user_refresh.sh", [], host.settings);
  if (exitCode === 0) return host;
  await host[Symbol.asyncDispose]();
  throw new Error(`bootstrap ended with ${exitCode}: ${stderr}`);
}

/** Asks again until `check` answers something: things take their time in another process. */
export async function eventually<T>(check: () => Promise<T> | T, limitMs = 60_000): Promise<NonNullable<T>> {
  const until = performance.now() + limitMs;
  for (;;) {
    const found = await check();
    if (found !== undefined && found !== null && found !== false) return found;
    if (performance.now() > until) throw new Error(`not within ${limitMs} ms: ${check.toString()}`);
    await delay(50);
  }
}

async function isReady(manager: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  let said = "";
  manager.stderr.on("data", (text: Buffer) => (said += text.toString()));
  await new Promise<void>((resolve, reject) => {
    manager.stdout.once("data", () => resolve());
    manager.once("exit", () => reject(new Error(`no user manager: ${said}`)));
  });
}

function cgroupRoot(): string {
  return existsSync("/sys/fs/cgroup/cgroup.controllers") ? "/sys/fs/cgroup" : "/sys/fs/cgroup/unified";
}

/** Its processes have been killed; the kernel lets go of the directories a moment later. */
async function removeCgroup(path: string): Promise<void> {
  await eventually(() => {
    spawnSync("find", [path, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"]);
    return !existsSync(path);
  });
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
