import { createHash } from "node:crypto";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import { bearerOf, createKeyHost } from "../support/broker.js";
import { createMachine, executables, type Machine } from "../support/machine.js";

const revoke = ["--revoke"];

const sha256Of = (text: string) => createHash("sha256").update(text).digest("hex");

/** Holds a live token, and git's answer with it. */
async function createHolder() {
  const machine = await createMachine();
  await machine.refresh();
  const held = machine.heldToken() ?? "";
  const state = join(machine.home, ".local/state/takopi");
  return Object.assign(machine, {
    held,
    mark: join(state, "refused", sha256Of(held)),
    gitAnswer: join(state, "git", new URL(machine.baseUrl).host),
    asked: () => machine.github.requests.map(({ method, path }) => `${method} ${path}`),
    last: () => Object(machine.log().at(-1)),
  });
}

const mintCall = "POST /app/installations/987654/access_tokens";
const deletion = "DELETE /installation/token";

const waitFor = async (machine: Pick<Machine, "github">, what: string, times = 1) =>
  vi.waitFor(
    () => {
      const found = machine.github.requests.filter(({ method, path }) => `${method} ${path}` === what);
      if (found.length < times) throw new Error(`${what} was asked ${found.length} times`);
    },
    { timeout: 15_000, interval: 5 },
  );

describe.concurrent("takopi-refresh-github-token --revoke", () => {
  test("revokes the held token at GitHub, then mints, tries and publishes another", async () => {
    await using machine = await createHolder();
    const { exitCode, stdout, stderr } = await machine.refresh({ args: revoke });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
    expect(stdout).toMatch(
      /^Token ghs_1234… \(sha256 [0-9a-f]{8}\) was revoked at GitHub\. Refreshed: token ghs_1234… .* is in ~/,
    );
    expect(machine.asked().slice(2)).toEqual([deletion, mintCall, "GET /rate_limit"]);
    expect(machine.github.isLive(machine.held)).toBe(false);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
    expect(machine.read(machine.mark)).toBe("");
    expect(machine.last()).toMatchObject({
      ok: true,
      code: "refreshed",
      exit: 0,
      refused_at: expect.any(String),
    });
    expect((await machine.ghauth(["status"])).stdout).toMatch(/^GitHub token: fresh/);
  });

  test("has marked the token, and taken git's answer away, before GitHub is asked", async () => {
    await using machine = await createHolder();
    const release = machine.github.hold();
    const running = machine.start([executables.refresh, "--revoke"]);
    await waitFor(machine, deletion);
    expect(machine.read(machine.mark)).toBe("revoke");
    expect(existsSync(machine.gitAnswer)).toBe(false);
    expect((await machine.ghauth(["status", "--json"])).stdout).toContain('"state":"stale"');
    release();
    expect((await running.ended).exitCode).toBe(0);
    expect(machine.read(machine.gitAnswer)).toContain(`password=${machine.heldToken()}`);
  });

  test.each(["--check", "--settings", "--settings-file"])(
    "is never asked for together with %s",
    async (other) => {
      await using machine = await createHolder();
      for (const args of [
        ["--revoke", other],
        [other, "--revoke"],
      ]) {
        const { exitCode, stdout, stderr } = await machine.refresh({ args });
        expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
        expect(stderr).toContain("ask for one of them");
      }
      expect(machine.github.isLive(machine.held)).toBe(true);
    },
  );

  test("where no token is held, mints one", async () => {
    await using machine = await createMachine();
    expect(await machine.refresh({ args: revoke })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^There was no token to revoke\. Refreshed: /),
    });
  });

  test("a token that is dead already is replaced", async () => {
    await using machine = await createHolder();
    machine.github.revoke(machine.held);
    expect(await machine.refresh({ args: revoke })).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^Token ghs_1234… \(sha256 \w+\) had ended before it was revoked\. Refreshed: /,
      ),
    });
  });

  test("with GitHub away the token is marked, and the next refresh that reaches it revokes it there first", async () => {
    await using machine = await createHolder();
    const away = { GITHUB_API_URL: "http://127.0.0.1:9", GHAUTH_REFRESH_DEADLINE_SECONDS: "1" };
    const { exitCode, stderr } = await machine.refresh({ args: revoke, env: away });
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(
      /^The token could not be revoked: 127\.0\.0\.1:9 .* The old token is marked: .* the next refresh that reaches GitHub revokes it/,
    );
    expect(machine.read(machine.mark)).toBe("revoke");
    expect(machine.heldToken()).toBe(machine.held);
    expect(existsSync(machine.gitAnswer)).toBe(false);
    expect(machine.last()).toMatchObject({ ok: false, code: "github_unreachable", exit: 75 });

    // Another that does not reach GitHub, and git, which finds the token refused, leave it as it is.
    expect((await machine.refresh({ env: away })).exitCode).toBe(75);
    const erased = `protocol=http\nhost=127.0.0.1\nusername=x-access-token\npassword=${machine.held}\n`;
    await machine.run([join(executables.refresh, "../git-credential-ghauth"), "_invalidate_cache"], {
      input: erased,
    });
    expect(machine.read(machine.mark)).toBe("revoke");

    const next = await machine.refresh();
    expect(next).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Token ghs_1234… \(sha256 \w+\) was revoked at GitHub\. Refreshed: /),
    });
    expect(machine.asked().slice(2)).toEqual([deletion, mintCall, "GET /rate_limit"]);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
    expect(machine.read(machine.mark)).toBe("");
  });

  test("a refresh does not overwrite a token that it could not revoke", async () => {
    await using machine = await createHolder();
    machine.write(machine.mark, "revoke");
    machine.github.refuse("server_error", { path: "/installation/token", times: Infinity });
    const { exitCode, stderr } = await machine.refresh({ env: { GHAUTH_REFRESH_DEADLINE_SECONDS: "1" } });
    expect({ exitCode, held: machine.heldToken() }).toEqual({ exitCode: 75, held: machine.held });
    expect(stderr).toMatch(/^The token could not be revoked: .* The old token is marked: /);
    expect(machine.github.mints).toBe(1);
    expect(machine.read(machine.mark)).toBe("revoke");
  });

  test("a mint that fails after the token was revoked leaves a token that nobody takes for a good one", async () => {
    await using machine = await createHolder();
    machine.github.refuse("suspended");
    const { exitCode, stderr } = await machine.refresh({ args: revoke });
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(
      /was revoked at GitHub\. Installation .* suspended.* There is no valid token now: the old one/,
    );
    expect(machine.github.isLive(machine.held)).toBe(false);
    expect((await machine.ghauth(["status", "--json"])).stdout).toContain('"state":"stale"');
    // Nobody who asks for a token gets the dead one: another is minted for them.
    const exec = await machine.ghauth(["exec", "--", "sh", "-c", 'printf %s "$GH_TOKEN" | sha256sum'], {
      env: { GHAUTH_REFRESH_SCRIPT: executables.refresh },
    });
    expect(exec.stdout).toContain(sha256Of(machine.heldToken() ?? ""));
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  });

  test("a run that is killed after the token was revoked is finished by the next refresh", async () => {
    await using machine = await createHolder();
    machine.github.refuse("stall");
    const running = machine.start([executables.refresh, "--revoke"]);
    await waitFor(machine, mintCall, 2);
    await running.stop("SIGKILL");
    expect(machine.github.isLive(machine.held)).toBe(false);
    expect((await machine.ghauth(["status", "--json"])).stdout).toContain('"state":"stale"');
    expect((await machine.refresh()).exitCode).toBe(0);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  });

  test("a run that is stopped while GitHub is asked says that the token is marked", async () => {
    await using machine = await createHolder();
    machine.github.refuse("stall", { path: "/installation/token" });
    const running = machine.start([executables.refresh, "--revoke"]);
    await waitFor(machine, deletion);
    const { exitCode, stderr } = await running.stop("SIGTERM");
    expect(exitCode).toBe(75);
    expect(stderr).toMatch(/^Stopped by SIGTERM .* The old token is marked: /);
  });

  test("needs neither key nor App to revoke", async () => {
    await using machine = await createHolder();
    rmSync(machine.paths.privateKey);
    const { exitCode, stderr } = await machine.refresh({ args: revoke });
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/was revoked at GitHub\. .*github-app\.pem/);
    expect(machine.github.liveTokens).toEqual([]);
  });

  test("a token that GitHub lets nobody revoke takes a person, and a refresh replaces it all the same", async () => {
    await using machine = await createHolder();
    machine.github.refuse("not_found", { path: "/installation/token", times: 2 });
    const { exitCode, stderr } = await machine.refresh({ args: revoke });
    expect(exitCode).toBe(78);
    expect(stderr).toMatch(/^The token could not be revoked: .* does not revoke the token \(HTTP 404\)/);
    expect(machine.github.mints).toBe(1);
    const next = await machine.refresh();
    expect(next).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/^Refreshed: .*warning: .* does not revoke the token \(HTTP 404\)/),
    });
    expect(machine.heldToken()).not.toBe(machine.held);
  });

  test("waits for a refresh that runs, and then revokes both tokens: the one that was held, and the new one", async () => {
    await using machine = await createHolder();
    const release = machine.github.hold();
    const refreshing = machine.start([executables.refresh, "--force"]);
    await waitFor(machine, mintCall, 2);
    const revoking = machine.start([executables.refresh, "--revoke"]);
    await vi.waitFor(() => expect(machine.read(machine.mark)).toBe("revoke"), { timeout: 15_000 });
    release();
    const [, { exitCode, stdout }] = await Promise.all([refreshing.ended, revoking.ended]);
    expect(exitCode).toBe(0);
    expect(stdout.match(/was revoked at GitHub/g)).toHaveLength(2);
    expect(machine.github.liveTokens).toEqual([machine.heldToken()]);
  });

  test("what cannot be marked is revoked all the same, with a warning", async () => {
    await using machine = await createHolder();
    const marks = join(machine.home, ".local/state/takopi/refused");
    rmSync(marks, { recursive: true, force: true });
    writeFileSync(marks, "");
    const { exitCode, stdout } = await machine.refresh({ args: revoke });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /was revoked at GitHub\. Refreshed: .*warning: the token to be revoked cannot be marked/,
    );
    expect(machine.github.isLive(machine.held)).toBe(false);
  });
});

describe.concurrent("--revoke of other sources", () => {
  test("a broker's token is revoked, and the broker is told, so that it gives another", async () => {
    await using host = await createKeyHost();
    host.letIn({ build: "admin = true" });
    const broker = await host.startBroker();
    await using agent = await createMachine();
    const bearer = join(agent.root, "bearer");
    agent.write(bearer, bearerOf("build"));
    const env = {
      GITHUB_TOKEN_SOURCE: "broker",
      GITHUB_API_URL: host.baseUrl,
      GHAUTH_BROKER_URL: broker.url,
      GHAUTH_BROKER_TOKEN_FILE: bearer,
    };
    rmSync(agent.paths.privateKey);
    await agent.refresh({ env });
    const held = agent.heldToken() ?? "";
    // The broker has just tried it, and takes its own verdict for 10 s.
    await broker.call(`/admin/github-installation-token?refused=${sha256Of(held).slice(0, 16)}`, {
      as: "build",
    });

    const { exitCode, stdout } = await agent.refresh({ args: revoke, env });
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(/was revoked at GitHub/),
    });
    expect(host.github.isLive(held)).toBe(false);
    expect(host.github.isLive(agent.heldToken() ?? "")).toBe(true);
    expect(host.github.requests.some(({ path }) => path === "/installation/token")).toBe(true);
  });

  test("a command that gives the revoked token again is asked until it gives another", async () => {
    await using machine = await createHolder();
    const other = await createOther(machine);
    const count = join(machine.root, "count");
    machine.write(
      join(machine.home, "vault"),
      `#!/bin/sh\necho x >>'${count}'\n[ $(wc -l <'${count}') -ge 3 ] && echo '${other}' || echo '${machine.held}'\n`,
      0o755,
    );
    const env = { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "~/vault" };
    expect((await machine.refresh({ args: revoke, env })).exitCode).toBe(0);
    expect(machine.heldToken()).toBe(other);
    expect(machine.read(count).trim().split("\n")).toHaveLength(3);
  });
});

/** Another live token, which the machine does not hold. */
async function createOther(machine: Machine & { held: string }): Promise<string> {
  const env = { TOKEN_ENV_FILE: join(machine.root, "other.env") };
  await machine.refresh({ args: ["--force"], env });
  return /^GITHUB_TOKEN=(.*)$/m.exec(machine.read(env.TOKEN_ENV_FILE))?.[1] ?? "";
}
