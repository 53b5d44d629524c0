import { mkdirSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { bearerOf, createKeyHost } from "../support/broker.js";
import { createMachine, type Machine } from "../support/machine.js";
import { createSidecarHost } from "../support/sidecar-host.js";

/** A program that notes which of our secrets it was given, and then does as `does` says. */
function spy(machine: Machine, name: string, does: string): string {
  const path = join(machine.home, "bin", name);
  const note = `env | sed -n 's/^\\(GITHUB_APP_PRIVATE_KEY\\|GHAUTH_STORE_PASSWORD\\)=.*/\\1/p' >'${path}.given'`;
  mkdirSync(join(machine.home, "bin"), { recursive: true });
  machine.write(path, `#!/bin/sh\n${note}\n${does}\n`, 0o755);
  return path;
}

const secretsOf = (machine: Machine) => ({
  GITHUB_APP_PRIVATE_KEY: machine.pem,
  GHAUTH_STORE_PASSWORD: "the-store's-password",
  PATH: `${join(machine.home, "bin")}:${machine.env["PATH"]}`,
  XDG_RUNTIME_DIR: machine.root,
});

describe("of the secrets that stand in our environment", () => {
  test("the command of exec gets none, and the refresh script only the key", async () => {
    await using machine = await createMachine();
    const script = spy(machine, "refresh", 'echo "no token today" >&2; exit 75');
    const command = spy(machine, "command", "");
    const env = { ...secretsOf(machine), GHAUTH_REFRESH_SCRIPT: script };

    await machine.ghauth(["exec", "--", command], { env });
    expect(machine.read(`${script}.given`)).toBe("GITHUB_APP_PRIVATE_KEY\n");

    await machine.refresh();
    expect(await machine.ghauth(["exec", "--", command], { env })).toMatchObject({ exitCode: 0 });
    expect(machine.read(`${command}.given`)).toBe("");
  });

  test("the refresh script gets the key alone from /ghauth refresh, and systemctl nothing", async () => {
    await using machine = await createMachine();
    const systemctl = spy(machine, "systemctl", "exit 1");
    machine.write(machine.paths.refreshScript, machine.read(spy(machine, "refresh", "")), 0o755);

    await machine.ghauth(["refresh"], { env: secretsOf(machine) });

    expect(machine.read(`${join(machine.home, "bin/refresh")}.given`)).toBe("GITHUB_APP_PRIVATE_KEY\n");
    expect(machine.read(`${systemctl}.given`)).toBe("");
  });

  test("flock, by which the refresh script and git's helper take their locks, gets none", async () => {
    await using machine = await createMachine();
    const flock = spy(machine, "flock", "exit 0");
    machine.write(join(dirname(machine.paths.refreshLog), "github-token-refresh.lock"), "");
    const env = { ...secretsOf(machine), GHAUTH_REFRESH_SCRIPT: spy(machine, "refresh", "exit 75") };

    await machine.refresh({ env });
    expect(machine.read(`${flock}.given`)).toBe("");

    rmSync(`${flock}.given`);
    rmSync(machine.paths.tokenEnvFile, { force: true });
    await machine.run([join(import.meta.dirname, "../../scripts/git-credential-ghauth"), "token"], { env });
    expect(machine.read(`${flock}.given`)).toBe("");
  });

  test("GITHUB_TOKEN_COMMAND and gh get none", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const command = spy(machine, "vault", `echo ${machine.heldToken()}`);
    const gh = spy(machine, "gh", "exit 1");

    const { exitCode } = await machine.refresh({
      env: {
        ...secretsOf(machine),
        GITHUB_TOKEN_SOURCE: "command",
        GITHUB_TOKEN_COMMAND: `'${command}'`,
        GH_AUTH: "auto",
      },
    });

    expect(exitCode).toBe(0);
    expect([machine.read(`${command}.given`), machine.read(`${gh}.given`)]).toEqual(["", ""]);
  });
});

describe("NODE_DEBUG, which would print tokens and App JWTs, is taken away", () => {
  const env = { NODE_DEBUG: "http,https,net,tls" };

  test("from a broker, which SIGTERM still ends with 0", async () => {
    await using host = await createKeyHost();
    host.letIn({ admin: "admin = true" });
    const broker = await host.startBroker([], env);
    await broker.token("/admin/github-installation-token", "admin");

    expect(await broker.stop()).toBe(0);
    expect(broker.output()).not.toMatch(/HTTP \d+:|Bearer/);
    expect(broker.output()).not.toContain(bearerOf("admin"));
  });

  test("from a sidecar", async () => {
    await using host = await createSidecarHost();
    const { exitCode, stdout, stderr } = await host.sidecar(["--once"], env);

    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).not.toMatch(/HTTP \d+:|Bearer/);
  });
});

test.each(["child_process", "http,CHILD_*", "*"])(
  "NODE_DEBUG=%s, by which Node prints environments, is refused before anything is run",
  async (nodeDebug) => {
    await using machine = await createMachine();
    await machine.refresh();
    const env = { NODE_DEBUG: nodeDebug };

    const { exitCode, stdout, stderr } = await machine.ghauth(["exec", "--", "echo", "run"], { env });

    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
    expect(stderr).toContain("leave child_process out");
    expect(stderr).not.toContain(machine.heldToken());
  },
);

test("the command of exec keeps another NODE_DEBUG", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const env = { NODE_DEBUG: "http,child" };

  const { stdout } = await machine.ghauth(["exec", "--", "sh", "-c", 'echo "$NODE_DEBUG"'], { env });

  expect(stdout).toBe("http,child\n");
});
