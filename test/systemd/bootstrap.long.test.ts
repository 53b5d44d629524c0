import { generateKeyPairSync } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parseEnvFile } from "../../src/files/env-file.js";
import {
  createBootstrappedUser,
  createUserManager,
  eventually,
  noUserManager,
} from "../support/user-manager.js";

const timer = "takopi-github-token-refresh.timer";
const service = "takopi-github-token-refresh.service";
const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
function readIfThere(path: string): string {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // the process has ended
  }
}

const bootstrap = "bootstrap_user_refresh.sh";

describe.skipIf(noUserManager !== null)(
  `bootstrap_user_refresh.sh (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    test("sets up all from nothing: timer, key, settings, and at once a token, for gh too", async () => {
      await using host = await createUserManager();
      await host.connectGh();
      host.write("app key.pem", host.pem);

      const { exitCode, stdout, stderr } = await host.script(bootstrap, [], {
        ...host.settings,
        GH_AUTH: "auto",
      });

      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(stdout).toContain("GitHub token: fresh");
      expect(stdout).toMatch(/^timer: active, enabled$/m);
      expect(stdout).toMatch(/^next run: in .* \(\d{4}-\S+ \S+ UTC\)$/m);
      expect(stdout).toMatch(/^last run: success, \d+ seconds? ago/m);
      expect(stdout).toContain("gh: logged in with a token without a name (GitHub App)");
      expect(stdout).toContain("Remove the other copy now: rm -- /home/the\\ operator\\'s/app\\ key.pem");
      expect(stdout).toContain(`For git to use the token, run:
  git config --global --replace-all credential.https://github.com.helper ''
  git config --global --add credential.https://github.com.helper ghauth
`);
      expect(await host.systemctl("is-enabled", timer)).toBe("enabled");
      expect(await host.systemctl("is-active", timer)).toBe("active");
      const [token] = host.github.liveTokens;
      expect(host.read(".config/takopi/github-token.env")).toContain(`GITHUB_TOKEN=${token}\n`);
      expect(host.read(".config/gh/hosts.yml")).toContain(token);
      expect(host.read(".config/takopi/github-app.pem")).toBe(host.pem);
      expect(
        ["", "github-app.pem", "github-app.env"].map((name) => mode(host.path(`.config/takopi/${name}`))),
      ).toEqual(["700", "600", "600"]);
      expect(host.read(".config/takopi/github-app.env")).toBe(
        `GITHUB_APP_ID=123456\nGITHUB_APP_INSTALLATION_ID=987654\nGITHUB_API_URL=${host.baseUrl}\nGH_AUTH=auto\n`,
      );
    });

    test("the installed refresh script needs nothing but a home: no PATH, no login shell, no checkout", async () => {
      await using host = await createBootstrappedUser();
      const script = `${host.home}/.local/bin/takopi-refresh-github-token`;

      const { exitCode, stdout } = await host.run([script], {
        without: ["PATH", "XDG_RUNTIME_DIR", "USER", "LANG"],
      });

      expect(exitCode).toBe(0);
      expect(stdout).toContain("Refreshed: ");
      expect(host.github.mints).toBe(2);
      expect((await host.run(["grep", "-rlF", "/run/checkout", "."])).stdout).toBe("");
      expect((await host.run(["cat", script])).stdout).toContain("node='/run/node/node'");
    });

    test("run again it changes nothing, needs no setting again, and refreshes", async () => {
      await using host = await createBootstrappedUser();
      const settled = async () =>
        (await host.listFiles()).filter(
          (line) => !/^\.local\/state|github-token\.env|^\.config\/takopi d/.test(line),
        );
      const before = await settled();

      const { exitCode, stdout } = await host.script(bootstrap);

      expect(exitCode).toBe(0);
      expect(stdout).not.toMatch(/^changed/m);
      expect(await settled()).toEqual(before);
      expect(host.github.mints).toBe(2);
    });

    test("the same command runs again when the other copy of the key is gone, as it advised", async () => {
      await using host = await createBootstrappedUser();
      await host.run(["rm", "app key.pem"]);

      const { exitCode, stdout, stderr } = await host.script(bootstrap, [], host.settings);

      expect({ exitCode, stderr }).toEqual({
        exitCode: 0,
        stderr: expect.stringContaining("~/.config/takopi/github-app.pem, stays in use"),
      });
      expect(stdout).not.toMatch(/^changed/m);
    });

    test("run again with one setting more, it keeps the others and what somebody wrote into the file", async () => {
      await using host = await createBootstrappedUser();
      const settings = host.read(".config/takopi/github-app.env");
      host.write(".config/takopi/github-app.env", `# ours\n${settings}UNKNOWN=x\n`);

      const { exitCode, stdout } = await host.script(bootstrap, [], {
        GITHUB_APP_PERMISSIONS: "contents:read",
        GITHUB_API_URL: `${host.baseUrl}/`,
      });

      expect(exitCode).toBe(0);
      expect(stdout.match(/^changed.*$/gm)).toEqual([
        "changed ~/.config/takopi/github-app.env: new contents, mode 0600",
      ]);
      expect(host.read(".config/takopi/github-app.env")).toBe(
        `# ours\n${settings.replace(host.baseUrl, `${host.baseUrl}/`)}UNKNOWN=x\nGITHUB_APP_PERMISSIONS=contents:read\n`,
      );
    });

    test("a key that GitHub refuses is not kept: the old set-up is in place again and works", async () => {
      await using host = await createBootstrappedUser();
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      host.write("other.pem", privateKey.export({ type: "pkcs1", format: "pem" }).toString());
      const settled = async () =>
        (await host.listFiles()).filter((line) => /app\.|systemd|local\/(?:lib|bin)/.test(line));
      const before = await settled();

      const refused = await host.script(bootstrap, [], {
        GITHUB_APP_PRIVATE_KEY_PATH: "~/other.pem",
        GITHUB_APP_PERMISSIONS: "contents:read",
      });

      expect(refused.exitCode).toBe(78);
      expect(refused.stderr).toMatch(/key/);
      expect(refused.stderr).toContain("what was there before is in place again");
      expect(await settled()).toEqual(before);
      expect(await host.systemctl("is-active", timer)).toBe("active");
      expect(await host.property(service, "ActiveState")).toBe("inactive");
      await host.systemctl("start", service);
      expect(host.github.mints).toBe(2);
    });

    test("a first set-up that GitHub refuses leaves nothing but the log of the attempt", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);

      const refused = await host.script(bootstrap, [], { ...host.settings, GITHUB_APP_INSTALLATION_ID: "1" });

      expect(refused.exitCode).toBe(78);
      const files = (await host.listFiles())
        .filter((line) => / f /.test(line))
        .map((line) => line.split(" f ")[0]);
      expect(files).toEqual([
        ".local/state/takopi/github-token-refresh.jsonl",
        ".local/state/takopi/github-token-refresh.lock",
        "app key.pem",
      ]);
      expect(await host.property(timer, "LoadState")).toBe("not-found");
    });

    test("--dry-run says what would change, and changes nothing", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);
      const before = await host.listFiles();

      const { exitCode, stdout } = await host.script(bootstrap, ["--dry-run"], host.settings);

      expect(exitCode).toBe(0);
      expect(stdout).toContain("would change ~/.config/takopi/github-app.pem: a new file, mode 0600");
      expect(stdout).toContain(`would change ~/.config/systemd/user/${timer}: a new file, mode 0644`);
      expect(await host.listFiles()).toEqual(before);
      expect(host.github.requests).toEqual([]);
    });

    test("all that is missing is said in one go", async () => {
      await using host = await createUserManager();

      const { exitCode, stderr } = await host.script(bootstrap, [], {
        XDG_RUNTIME_DIR: "/nowhere",
        TOKEN_ENV_FILE: "~/token.env",
        GH_CONFIG_DIR: "/tmp/gh",
        NODE_EXTRA_CA_CERTS: "/tmp/ca.pem",
        GITHUB_APP_PERMISSIONS: "contents:read\nissues:read",
        GITHUB_API_URL: "https://a\nhttps://b",
      });

      expect(exitCode).toBe(78);
      const list = stderr.match(/^- .*$/gm)?.map((line) => line.slice(2)) ?? [];
      for (const words of [
        "systemd's user manager, which cannot be reached",
        "GITHUB_APP_ID is not set: give the App ID",
        "GITHUB_APP_INSTALLATION_ID must be set",
        "GITHUB_API_URL must be on one line",
        "the App's private key: there is no file",
        "a directory of its own for TOKEN_ENV_FILE",
        "a place outside of /tmp for GH_CONFIG_DIR",
        "a place outside of /tmp for NODE_EXTRA_CA_CERTS",
      ])
        expect(list).toContainEqual(expect.stringContaining(words));
      expect(list).toHaveLength(8);
      expect(await host.listFiles()).toEqual([""]);
    });

    test("without Node it says so, and that the settings could not be looked at", async () => {
      await using host = await createUserManager();

      const { exitCode, stderr } = await host.script(bootstrap, [], { GHAUTH_NODE: "/nowhere/node" });

      expect(exitCode).toBe(78);
      expect(stderr).toMatch(/^- Node\.js 20\.19 or later: .*\n- perhaps some settings: /m);
    });

    test.each([
      ["on several lines", (pem: string) => pem],
      ["with its line breaks spelled out", (pem: string) => pem.replaceAll("\n", "\\n")],
      ["in base64", (pem: string) => Buffer.from(pem).toString("base64")],
    ])("a key from the environment, %s, becomes github-app.pem", async (_how, encode) => {
      await using host = await createUserManager();
      const { GITHUB_APP_PRIVATE_KEY_PATH: _path, ...settings } = host.settings;

      const { exitCode } = await host.script(bootstrap, [], {
        ...settings,
        GITHUB_APP_PRIVATE_KEY: encode(host.pem),
      });

      expect(exitCode).toBe(0);
      expect(host.read(".config/takopi/github-app.pem")).toBe(host.pem);
      expect(mode(host.path(".config/takopi/github-app.pem"))).toBe("600");
      expect(host.read(".config/takopi/github-app.env")).not.toContain("KEY");
    });

    test("a key already in place gets its mode set, and a source other than the App needs none", async () => {
      await using host = await createUserManager();
      const { GITHUB_APP_PRIVATE_KEY_PATH: _path, ...settings } = host.settings;
      host.write(".config/takopi/github-app.pem", host.pem, 0o644);

      expect((await host.script(bootstrap, [], settings)).exitCode).toBe(0);
      expect(mode(host.path(".config/takopi/github-app.pem"))).toBe("600");

      const [token = ""] = host.github.liveTokens;
      host.write("bin/print token", `#!/bin/sh\nprintf %s '${token}'\n`, 0o700);
      const { exitCode } = await host.script(bootstrap, [], {
        GITHUB_TOKEN_SOURCE: "command",
        GITHUB_TOKEN_COMMAND: `'${host.home.replace("'", `'\\''`)}/bin/print token'`,
      });
      expect(exitCode).toBe(0);
    });

    test("a version manager's shim on the PATH is looked through", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);
      host.write(".volta/bin/node", '#!/bin/sh\nexec /run/node/node "$@"\n', 0o755);

      const { exitCode } = await host.script(bootstrap, [], {
        ...host.settings,
        PATH: `${host.home}/.volta/bin:/usr/bin:/bin`,
      });

      expect(exitCode).toBe(0);
      expect((await host.run(["cat", ".local/bin/ghauth"])).stdout).toContain("node='/run/node/node' ");
    });

    test("settings, state, token and gh may lie elsewhere, and odd values survive", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);
      const elsewhere = {
        XDG_CONFIG_HOME: `${host.home}/my settings`,
        XDG_STATE_HOME: `${host.home}/my state`,
        TOKEN_ENV_FILE: "~/agent's files/100%.env",
        GITHUB_APP_REPOSITORIES: "acme/site\nacme/tools",
        GITHUB_TOKEN_COMMAND: `"print" 'a "token"'`,
        GHAUTH_BROKER_WORKSPACE: " padded ",
        https_proxy: "",
        no_proxy: "127.0.0.1",
      };

      const { exitCode, stdout, stderr } = await host.script(bootstrap, [], {
        ...host.settings,
        ...elsewhere,
      });

      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(host.read("agent's files/100%.env")).toContain("GITHUB_TOKEN=ghs_");
      expect(stdout).toContain("GitHub token: fresh");
      expect(stdout).toContain(`[plugins.ghauth]\ntoken_env_file = "~/agent's files/100%.env"\n`);
      expect(Object.fromEntries(parseEnvFile(host.read("my settings/takopi/github-app.env")))).toEqual({
        GITHUB_APP_ID: "123456",
        GITHUB_APP_INSTALLATION_ID: "987654",
        GITHUB_APP_REPOSITORIES: "acme/site acme/tools",
        GITHUB_API_URL: host.baseUrl,
        TOKEN_ENV_FILE: elsewhere.TOKEN_ENV_FILE,
        GHAUTH_BROKER_WORKSPACE: " padded ",
        GITHUB_TOKEN_COMMAND: elsewhere.GITHUB_TOKEN_COMMAND,
        GH_AUTH: "off",
        NO_PROXY: "127.0.0.1",
      });
      expect(host.has("my state/takopi/github-token-refresh.jsonl")).toBe(true);
      expect(host.has(".config/takopi")).toBe(false);
    });

    test("the key is in no argument, and in no environment but the set-up's own", async () => {
      await using host = await createUserManager();
      const { GITHUB_APP_PRIVATE_KEY_PATH: _path, ...settings } = host.settings;
      const release = host.github.hold();
      const setUp = host.script(bootstrap, [], { ...settings, GITHUB_APP_PRIVATE_KEY: host.pem });
      await eventually(() => host.github.requests.length > 0);

      const holdersIn = (file: "cmdline" | "environ") =>
        readdirSync("/proc")
          .filter(
            (pid) =>
              /^\d+$/.test(pid) && readIfThere(`/proc/${pid}/${file}`).includes(host.pem.slice(100, 160)),
          )
          .map((pid) => readIfThere(`/proc/${pid}/cmdline`).replaceAll("\0", " "));
      const inArguments = holdersIn("cmdline");
      // What starts the set-up, here and for the tests beside this one, hands the key over.
      const inEnvironment = holdersIn("environ").filter(
        (program) => !/^\S*(?:nsenter|setpriv|env|bash) /.test(program),
      );
      release();

      expect((await setUp).exitCode).toBe(0);
      expect({ inArguments, inEnvironment }).toEqual({ inArguments: [], inEnvironment: [] });
    });

    test("a second set-up at the same time is turned away, and the first goes on", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);
      const release = host.github.hold();
      const first = host.script(bootstrap, [], host.settings);
      await eventually(() => host.github.requests.length > 0);

      const second = await host.script(bootstrap, [], host.settings);
      release();

      expect(second.exitCode).toBe(75);
      expect(second.stderr).toContain("another set-up of takopi-ghauth is running");
      expect((await first).exitCode).toBe(0);
    });

    test("copies of the key that a killed set-up left are removed", async () => {
      await using host = await createBootstrappedUser();
      host.write(".config/takopi/.github-app.pem.before-setup", host.pem);
      host.write(".config/takopi/.github-app.pem.AbCdEf", host.pem);

      expect((await host.script(bootstrap)).exitCode).toBe(0);

      expect((await host.run(["ls", "-A", ".config/takopi"])).stdout).toBe(
        "github-app.env\ngithub-app.pem\ngithub-token.env\n",
      );
    });

    test("lingering that is off is named once, with what to do", async () => {
      await using host = await createUserManager({ lingering: false });
      host.write("app key.pem", host.pem);

      const { exitCode, stdout, stderr } = await host.script(bootstrap, [], host.settings);

      expect(exitCode).toBe(0);
      expect((stdout + stderr).match(/^.*Linger.*$/gm)).toEqual([
        "- Lingering is off for operator: after the last logout nothing refreshes the token. Run loginctl enable-linger operator.",
      ]);
    });

    test("while GitHub is away it says what it waits for, and gives up after 20 s", async () => {
      await using host = await createUserManager();
      host.write("app key.pem", host.pem);
      host.github.refuse("reset", { times: 100_000 });

      const began = performance.now();
      const { exitCode, stdout, stderr } = await host.script(bootstrap, [], host.settings);
      const seconds = (performance.now() - began) / 1000;

      expect(exitCode).toBe(75);
      expect(stdout).toContain(`waiting for GitHub at ${host.baseUrl}, for 20 s at most…`);
      expect(stderr).toMatch(/cannot be reached.*\n.*what was there before is in place again/);
      // Its own 60 s are over long after.
      expect(seconds).toBeLessThan(50);
      expect((await host.run(["find", "/run/user", "-name", "first-run.conf"])).stdout).toBe("");
    });

    test("what lies open to others is made this user's own: takopi.toml and the broker's bearer", async () => {
      await using host = await createBootstrappedUser();
      host.write(".takopi/takopi.toml", 'transport = "console"\n', 0o644);
      host.write("bearer", "x\n", 0o644);
      host.write("strict", "x\n", 0o400);

      const { stdout } = await host.script(bootstrap, ["--dry-run"], { GHAUTH_BROKER_TOKEN_FILE: "bearer" });
      expect(stdout).toContain("would change ~/bearer: mode 0600, for it was open to others");
      expect(mode(host.path("bearer"))).toBe("644");

      const done = await host.script(bootstrap, [], { GHAUTH_BROKER_TOKEN_FILE: "bearer" });
      expect(done.exitCode).toBe(0);
      expect(done.stdout).toContain("changed ~/.takopi/takopi.toml: mode 0600, for it was open to others");
      expect(done.stdout).toContain("changed ~/bearer: mode 0600, for it was open to others");
      expect([".takopi/takopi.toml", "bearer"].map((name) => mode(host.path(name)))).toEqual(["600", "600"]);
      expect((await host.script(bootstrap, [], { GHAUTH_BROKER_TOKEN_FILE: "strict" })).stdout).not.toContain(
        "for it was open",
      );
    });

    test("a home with a quotation mark, a dollar and a percent sign works", async () => {
      await using host = await createBootstrappedUser({ home: '/home/the "100%h $HOME' });

      expect(await host.systemctl("is-active", timer)).toBe("active");
      expect(await host.run(["ghauth", "status"])).toMatchObject({ exitCode: 0, stderr: "" });
    });

    test("a home with a backslash, in which Node can run nothing, is refused with a sentence", async () => {
      await using host = await createUserManager({ home: String.raw`/home/back\slash` });
      host.write("app key.pem", host.pem);
      const before = await host.listFiles();

      for (const script of [bootstrap, "install_local.sh"]) {
        const { exitCode, stderr } = await host.script(script, [], host.settings);

        expect(exitCode).toBe(78);
        expect(stderr).toMatch(/^- a home directory without a backslash/m);
        expect(await host.listFiles()).toEqual(before);
      }
    });

    test("what no option knows is refused before anything is done", async () => {
      await using host = await createUserManager();

      const { exitCode, stderr } = await host.script(bootstrap, ["--dry-run", "--frobnicate"], host.settings);

      expect(exitCode).toBe(64);
      expect(stderr).toContain("There is no option '--frobnicate'.");
    });
  },
);
