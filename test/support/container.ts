import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { IContainer } from "kubernetes-models/v1/Container";
import { readEntrypoint, readManifest } from "./manifest.js";
import { startProgram } from "./live-program.js";

const checkout = join(import.meta.dirname, "../..");

/**
 * The manifest's pod, made of namespaces instead of by a container engine: each of its containers runs with its own
 * command, arguments, environment, UID and group, without capabilities, new privileges or a HOME of ours, on a
 * read-only root. `shared` is seen at /shared. The network is this machine's.
 */
export async function createPod({ secrets, shared }: { secrets: string; shared: string }) {
  const directory = mkdtempSync(join(tmpdir(), "ghauth-pod-"));
  const group = String(readManifest().spec?.securityContext?.fsGroup);
  mkdirSync(shared, { recursive: true });
  const settings = { app: checkout, node: process.execPath, secrets, shared, group };
  const lines = Object.entries(settings).map(([name, value]) => `${name}='${value}'\n`);
  writeFileSync(join(directory, "settings.sh"), lines.join(""));
  const pod = spawn("bash", [join(import.meta.dirname, "container.sh"), directory], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [said] = await Promise.race([once(pod.stdout, "data"), once(pod, "exit")]);
  if (String(said) !== "ready\n") throw new Error("the pod's namespaces cannot be made");
  const init = String(childOf(pod.pid ?? 0));
  const root = `/proc/${init}/root${join(directory, "root")}`;

  const wordsOf = (container: IContainer, more: Record<string, string>): [string, ...string[]] => {
    const { runAsUser, runAsGroup } = container.securityContext ?? {};
    const env: Record<string, string> = { PATH: "/usr/local/bin:/usr/bin:/bin" };
    for (const { name, value = "" } of container.env ?? []) env[name] = value;
    const variables = Object.entries({ ...env, ...more }).map(([name, value]) => `${name}=${value}`);
    const enter = ["--target", init, "--mount", "--pid", "--ipc", `--root=${root}`];
    const become = ["--reuid", String(runAsUser), "--regid", String(runAsGroup), "--groups", group];
    const giveUp = ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"];
    // Each is process 1 in a namespace of its own, as engines have it.
    const alone = ["unshare", "--pid", "--fork", "--kill-child"];
    const program = [...(container.command ?? readEntrypoint()), ...(container.args ?? [])];
    return [
      "nsenter",
      ...enter,
      ...alone,
      "setpriv",
      ...become,
      ...giveUp,
      "env",
      "--ignore-environment",
      "--chdir=/",
      ...variables,
      ...program,
    ];
  };
  const start = (container: IContainer, more: Record<string, string> = {}) =>
    startProgram(wordsOf(container, more), { env: { PATH: process.env["PATH"] ?? "" }, cwd: "/" });

  return {
    start,
    /** Runs a container until it ends. */
    run: async (container: IContainer, more: Record<string, string> = {}) => {
      await using program = start(container, more);
      const exitCode = await program.exitCode();
      return { exitCode, output: program.output() };
    },
    /** The process itself, below those that brought it into the pod. */
    pidOf: ({ pid }: { pid: number }): number => {
      for (let [at, below] = [pid, childOf(pid)]; ; [at, below] = [below, childOf(below)])
        if (below === 0) return at;
    },
    /** A path of the pod's, as this process reaches it. */
    path: (name: string) => join(root, name),
    [Symbol.asyncDispose]: async () => {
      const ended = once(pod, "exit");
      pod.kill("SIGKILL");
      await ended;
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The first child of a process, or 0. */
function childOf(pid: number): number {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ")[0]);
}
