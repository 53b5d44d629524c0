import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as delay } from "node:timers/promises";
import { execa } from "execa";
import { expect, test, type TestContext } from "vitest";
import { updateGhAuth } from "../../src/refresh/gh-auth.js";
import { Secret } from "../../src/token/secret.js";
import { refreshInProcess } from "../support/in-process.js";
import { createMachine, type Machine } from "../support/machine.js";
import { bundle, isInstalled, isSkipped } from "../support/programs.js";
import { createRandom } from "../support/random.js";

const isGhMissing = !isInstalled("gh");
const needsGh = ({ skip }: TestContext) => skip(isSkipped(isGhMissing), "gh is not installed");

/** A machine whose gh talks to the stand-in, under whatever host name. */
async function createGhMachine() {
  const machine = await createMachine();
  const socketPath = await machine.github.listen({ socketPath: join(machine.root, "github.sock") });
  const configDir = join(machine.home, ".config/gh");
  const config = join(configDir, "config.yml");
  const hosts = join(configDir, "hosts.yml");
  machine.write(config, `http_unix_socket: ${socketPath}\n`);
  // Not by machine.run, which holds that no secret is printed: this one prints the token, as it should.
  const env = { ...machine.env, GH_CONFIG_DIR: configDir };
  const gh = async (...words: string[]) => (await execa("gh", words, { env, extendEnv: false })).stdout;
  return Object.assign(machine, { configDir, hosts, gh, ghOn: { GH_AUTH: "auto" } });
}

/** Whether some gh still writes into a scratch copy there. */
function isGhAtWork(configDir: string): boolean {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .some((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`GH_CONFIG_DIR=${configDir}/.`);
      } catch {
        return false; // it has ended meanwhile
      }
    });
}

const alices = "ghe.example.com:\n    user: alice\n    oauth_token: gho_alice\n    git_protocol: ssh\n";

test("gh has the token after a refresh, and other hosts' logins stay as they were", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  machine.write(machine.hosts, alices);

  expect(await machine.refresh({ env: machine.ghOn })).toMatchObject({
    exitCode: 0,
    stdout: expect.not.stringContaining("warning"),
  });

  expect(machine.read(machine.hosts)).toContain(`oauth_token: ${machine.heldToken()}`);
  const tokens = [
    (await machine.gh("auth", "token", "--hostname", "127.0.0.1")) === machine.heldToken(),
    await machine.gh("auth", "token", "--hostname", "ghe.example.com"),
  ];
  expect(tokens).toEqual([true, "gho_alice"]);
  expect(machine.read(machine.hosts)).toContain("user: alice");
  expect(statSync(machine.hosts).mode & 0o777).toBe(0o600);
  expect(readdirSync(machine.configDir).sort()).toEqual(["config.yml", "hosts.yml"]);
  expect(machine.log()).toMatchObject([{ code: "refreshed" }]);
});

test.for(["github.com", "ghe.example.com"])("gh is logged in at %s", async (host, context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  await refreshInProcess(machine);
  const token = new Secret(machine.heldToken());
  const gh = { configDir: machine.configDir, host };

  expect(await updateGhAuth({ env: machine.env, timeoutMs: 20_000 }, gh, token)).toBeNull();

  expect(machine.read(machine.hosts)).toContain(`${host}:`);
  expect((await machine.gh("auth", "token", "--hostname", host)) === token.reveal()).toBe(true);
});

test("a token in gh's environment does no harm", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  const names = ["GH_TOKEN", "GITHUB_TOKEN", "GH_ENTERPRISE_TOKEN", "GITHUB_ENTERPRISE_TOKEN"];
  const env = Object.fromEntries([
    ...names.map((name) => [name, "ghp_somebodyelse"]),
    ["GH_HOST", "elsewhere.example.com"],
    ["GH_DEBUG", "api"],
  ]);

  const { exitCode, stdout } = await machine.refresh({ env: { ...machine.ghOn, ...env } });

  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: expect.not.stringContaining("warning") });
  expect(machine.read(machine.hosts)).toContain(`oauth_token: ${machine.heldToken()}`);
});

test("gh's refusal is a warning, and hosts.yml stays as it was", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  machine.write(machine.hosts, alices);
  machine.github.refuse("bad_credentials", { path: "/", times: Infinity });

  const { exitCode, stdout } = await machine.refresh({ env: machine.ghOn });

  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Refreshed: .*warning: gh was not updated: gh auth login ended with 1: .*401/);
  expect(machine.read(machine.hosts)).toBe(alices);
  expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  expect(machine.log()).toMatchObject([
    { ok: true, exit: 0, code: "refreshed_with_warning", sentence: stdout.trim() },
  ]);
});

/** A `gh` of our own, first on PATH. */
function installGh(machine: Machine, script: string): { PATH: string; GH_AUTH: string } {
  const directory = join(machine.root, "bin");
  machine.write(join(directory, "gh"), `#!/bin/sh\n${script}\n`);
  chmodSync(join(directory, "gh"), 0o755);
  return { PATH: `${directory}:${machine.env["PATH"]}`, GH_AUTH: "auto" };
}

test.for([
  {
    what: "fails",
    script: "echo 'no such flag' >&2; echo 'Usage: gh' >&2; exit 2",
    says: "ended with 2: no such flag",
  },
  { what: "does nothing", script: "exit 0", says: "gh did not store the token in hosts.yml" },
  {
    what: "prints the token and fails",
    script: "cat >&2; exit 1",
    says: "ended with 1: [redacted]",
  },
])("a gh that $what is a warning, not a lost refresh", async ({ script, says }) => {
  await using machine = await createMachine();

  const { exitCode, stdout } = await machine.refresh({ env: installGh(machine, script) });

  expect({ exitCode, stdout }).toEqual({
    exitCode: 0,
    stdout: expect.stringContaining(`gh was not updated: `),
  });
  expect(stdout).toContain(says);
  expect(machine.log()).toMatchObject([{ ok: true, code: "refreshed_with_warning" }]);
});

test("a gh that hangs is ended with all that it started, and what got away holds nobody up", async () => {
  await using machine = await createMachine();
  const hanging = `setsid sleep 600 & echo $! >"$HOME/away"; sleep 600 & echo $! >"$HOME/pid"; wait`;
  const env = { ...machine.env, ...installGh(machine, hanging) };
  const gh = { configDir: join(machine.home, "gh"), host: "github.com" };

  const complaint = await updateGhAuth({ env, timeoutMs: 3_000 }, gh, new Secret("ghs_0123456789"));

  expect(complaint).toBe("gh auth login took too long");
  const pidIn = (name: string) => machine.read(join(machine.home, name)).trim();
  const [away, pid] = [pidIn("away"), pidIn("pid")];
  expect(isRunning(away)).toBe(true);
  process.kill(Number(away), "SIGKILL");
  await expect.poll(() => isRunning(pid)).toBe(false);
  expect(readdirSync(gh.configDir)).toEqual([]);
});

/** Whether a process runs; one that is dead and not yet waited for does not. */
function isRunning(pid: string): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

test("a gh that is not installed is a warning", async () => {
  await using machine = await createMachine();
  const env = { PATH: "/nonexistent", GH_AUTH: "auto" };

  const report = await refreshInProcess(machine, { env });

  expect(report).toMatchObject({ ok: true, exit: 0, code: "refreshed_with_warning" });
  expect(report.sentence).toContain("warning: gh was not updated: gh is not installed");
});

test("what somebody else writes into hosts.yml meanwhile is not lost", async () => {
  await using machine = await createMachine();
  const configDir = join(machine.home, "gh");
  // The first time, a person logs in at another host while gh runs.
  const script = [
    `[ -e "${configDir}/hosts.yml" ] || echo 'other: {oauth_token: gho_other}' >"${configDir}/hosts.yml"`,
    `{ echo 'github.com:'; printf '    oauth_token: '; cat; } >>"$GH_CONFIG_DIR/hosts.yml"`,
  ].join("\n");
  const env = { ...machine.env, ...installGh(machine, script) };

  const complaint = await updateGhAuth(
    { env, timeoutMs: 20_000 },
    { configDir, host: "github.com" },
    new Secret("ghs_0123456789"),
  );

  expect(complaint).toBeNull();
  expect(machine.read(join(configDir, "hosts.yml"))).toBe(
    "other: {oauth_token: gho_other}\ngithub.com:\n    oauth_token: ghs_0123456789\n",
  );
});

test("a gh that empties hosts.yml before it writes is never seen to", async () => {
  await using machine = await createMachine();
  const configDir = join(machine.home, "gh");
  const hosts = join(configDir, "hosts.yml");
  machine.write(hosts, "github.com:\n    oauth_token: ghs_old\n");
  const script = [
    ': >"$GH_CONFIG_DIR/hosts.yml"',
    "sleep 0.3",
    `{ echo 'github.com:'; printf '    oauth_token: '; cat; } >"$GH_CONFIG_DIR/hosts.yml"`,
  ].join("\n");
  const env = { ...machine.env, ...installGh(machine, script) };
  const seen = new Set<string>();
  const watching = setInterval(() => seen.add(machine.read(hosts)), 5);

  const complaint = await updateGhAuth(
    { env, timeoutMs: 20_000 },
    { configDir, host: "github.com" },
    new Secret("ghs_0123456789"),
  );

  clearInterval(watching);
  expect(complaint).toBeNull();
  expect([...seen]).toEqual(["github.com:\n    oauth_token: ghs_old\n"]);
  expect(machine.read(hosts)).toBe("github.com:\n    oauth_token: ghs_0123456789\n");
});

/** Reads a file in a tight loop until its stdin ends; says how often, and what never may be seen. */
const reader = `
  import { readFileSync } from "node:fs";
  const path = process.argv[2] ?? "";
  let reads = 0, odd = 0, going = true;
  process.stdin.on("end", () => { going = false; }).resume();
  const read = () => {
    for (let at = 0; at < 50; at++) {
      reads++;
      if (!/oauth_token: ghs_\\S{30,}/.test(readFileSync(path, "utf8"))) odd++;
    }
    if (going) setImmediate(read);
    else console.log(JSON.stringify({ odd, isBusy: reads > 100 }));
  };
  console.log("reading");
  read();
`;

test("no reader ever sees gh without a token while it gets new ones", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  await machine.refresh({ env: machine.ghOn });
  const child = spawn(process.execPath, [await bundle(reader), machine.hosts], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const seen = text(child.stdout);
  const tokens: string[] = [];
  for (let round = 0; round < 3; round++) {
    const [token] = await Promise.all([
      machine.gh("auth", "token", "--hostname", "127.0.0.1"),
      machine.refresh({ env: machine.ghOn }),
    ]);
    tokens.push(token.slice(0, 4));
  }
  child.stdin.end();

  expect(await seen).toBe('reading\n{"odd":0,"isBusy":true}\n');
  expect(tokens).toEqual(["ghs_", "ghs_", "ghs_"]);
});

test("a SIGKILL at any moment leaves hosts.yml whole, and its scratch goes with a later run", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  await machine.refresh({ env: machine.ghOn });
  const random = createRandom(2);
  for (let kill = 0; kill < 6; kill++) {
    const child = spawn(process.execPath, [join(import.meta.dirname, "../../dist/refresh/main.cjs")], {
      env: { ...machine.env, ...machine.ghOn },
      stdio: "ignore",
    });
    setTimeout(() => child.kill("SIGKILL"), 30 + random() * 150);
    await once(child, "exit");
    expect(machine.github.isLive(machine.heldToken())).toBe(true);
    expect(machine.read(machine.hosts)).toMatch(/^\s+oauth_token: ghs_\S{30,}$/m);
  }

  // A killed run's gh goes on by itself for a moment, and would make its scratch anew.
  while (isGhAtWork(machine.configDir)) await delay(20);
  const hourAgo = new Date(Date.now() - 3_600_000);
  for (const directory of [machine.configDir, join(machine.home, ".config/takopi")])
    for (const name of readdirSync(directory))
      if (name.endsWith(".tmp")) utimesSync(join(directory, name), hourAgo, hourAgo);
  await machine.refresh({ env: machine.ghOn });

  expect(readdirSync(machine.configDir).sort()).toEqual(["config.yml", "hosts.yml"]);
  expect(readdirSync(join(machine.home, ".config/takopi")).sort()).toEqual([
    "github-app.env",
    "github-app.pem",
    "github-token.env",
  ]);
});

test("a person's account at the same host stays in hosts.yml", async (context) => {
  needsGh(context);
  await using machine = await createGhMachine();
  const users = "    users:\n        alice:\n            oauth_token: gho_alice\n";
  machine.write(machine.hosts, `127.0.0.1:\n${users}    user: alice\n    oauth_token: gho_alice\n`);

  expect(await machine.refresh({ env: machine.ghOn })).toMatchObject({ exitCode: 0 });

  const hosts = machine.read(machine.hosts);
  expect(hosts).toMatch(/alice:\n\s+oauth_token: gho_alice/);
  expect(hosts).toContain(`\n    oauth_token: ${machine.heldToken()}`);
});
