import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { discordTable, telegramTable } from "../support/chat-machine.js";
import { createDiscordFake } from "../support/discord-fake.js";
import { expectNoSecret } from "../support/machine.js";
import { createTelegramFake, telegramToken } from "../support/telegram-fake.js";
import {
  createBootstrappedUser,
  eventually,
  noUserManager,
  type UserManager,
} from "../support/user-manager.js";

const refreshService = "takopi-github-token-refresh.service";
const unit = "takopi-github-token-notify.service";
const takopiToml = ".takopi/takopi.toml";
const minuteMs = 60_000;

function breakKey(host: UserManager): void {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  host.write(".config/takopi/github-app.pem", privateKey.export({ type: "pkcs1", format: "pem" }).toString());
}

/** Lets the notify unit end: what it has not said by then it will not say. */
async function isAtRest(host: UserManager): Promise<void> {
  await eventually(async () => ["inactive", "failed"].includes(await host.property(unit, "ActiveState")));
}

describe.skipIf(noUserManager !== null)(
  `alerts (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    test("a run that needs a person is told in each chat within a minute of its end, with no bot up, and so is its end", async () => {
      await using telegram = await createTelegramFake();
      await using discord = await createDiscordFake();
      await using host = await createBootstrappedUser();
      host.write(
        takopiToml,
        `transport = ["telegram", "discord"]\n${telegramTable(telegram)}${discordTable(discord)}`,
      );
      const messages = () => telegram.callsOf("sendMessage").map(({ params }) => params.text);
      breakKey(host);

      expect((await host.run(["systemctl", "--user", "start", refreshService])).exitCode).not.toBe(0);
      const endedAtMs = performance.now();
      await eventually(() => messages().length > 0 && discord.posted.length > 0);

      expect(performance.now() - endedAtMs).toBeLessThan(minuteMs);
      expect(messages()[0]).toContain("a person must act");
      expect(await host.property(refreshService, "ExecMainStatus")).toBe("78");
      host.write(".config/takopi/github-app.pem", host.pem);
      await isAtRest(host);
      await host.systemctl("start", refreshService);
      await eventually(() => messages().length > 1 && discord.posted.length > 1);
      await isAtRest(host);
      expect(messages().length).toBe(2);
      expect(messages()[1]).toContain("refreshed again");
      expect([telegram.refused, discord.problems]).toEqual([[], []]);
      expectNoSecret(telegram.said() + discord.said() + host.read(".local/state/takopi/alerts.json"), []);
    });

    test("whatever keeps alerts from going out fails no refresh", async () => {
      await using host = await createBootstrappedUser();
      host.write(takopiToml, "transport = [\n");
      await host.systemctl("start", refreshService);
      expect(await host.property(refreshService, "Result")).toBe("success");
      await eventually(async () => (await host.property(unit, "ActiveState")) === "failed");
      expect(await host.property(unit, "ExecMainStatus")).toBe("78");

      await host.run(["rm", ".config/systemd/user/takopi-github-token-notify.service"]);
      await host.systemctl("daemon-reload");
      await host.systemctl("start", refreshService);
      expect(await host.property(refreshService, "Result")).toBe("success");
    });

    test.each(["/home/the operator's", "/srv/operator", "/tmp/operator"])(
      "its sandbox hides key, settings, tokens and git's answers, with the home %s",
      async (home) => {
        await using host = await createBootstrappedUser({ home });
        host.write(takopiToml, 'transport = "console"\n');
        host.write(".config/takopi/telegram-token", "a bot token\n");
        host.write(".config/takopi/github-tokens/acme.env", "GITHUB_TOKEN=x\n");
        host.write(".local/state/takopi/git-owners/github.com/acme", "password=x\n");
        host.write(".config/gh/hosts.yml", "oauth_token: x\n");
        host.write(".ssh/id_ed25519", "a key of the user's\n");
        await isAtRest(host);
        host.write(
          "probe",
          `try() { if eval "$2" >/dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi; }
cd
try 'read takopi.toml' 'cat .takopi/takopi.toml'
try 'read a bot token file' 'cat .config/takopi/telegram-token'
try 'read the refresh log' 'cat .local/state/takopi/github-token-refresh.jsonl'
try 'remember' 'touch .local/state/takopi/alerts.json'
try 'read the key' 'cat .config/takopi/github-app.pem'
try 'read the App settings' 'cat .config/takopi/github-app.env'
try 'read the token' 'cat .config/takopi/github-token.env'
try 'read an owner token' 'cat .config/takopi/github-tokens/acme.env'
try 'read an answer for git' 'cat .local/state/takopi/git/*'
try 'read an owner answer' 'cat .local/state/takopi/git-owners/github.com/acme'
try 'read gh' 'cat .config/gh/hosts.yml'
try 'read ~/.ssh' 'cat .ssh/id_ed25519'
try 'change takopi.toml' 'echo >>.takopi/takopi.toml'
try 'write to the home' 'touch probe.written'
`,
        );
        expect(host.has(".local/state/takopi/git")).toBe(true);
        await host.dropIn(
          unit,
          "[Service]\nExecStart=\nExecStart=/bin/bash -c 'source ~/probe >~/.local/state/takopi/probe'\n",
        );

        await host.systemctl("start", unit);

        expect(host.read(".local/state/takopi/probe").trim().split("\n")).toEqual([
          "read takopi.toml: yes",
          "read a bot token file: yes",
          "read the refresh log: yes",
          "remember: yes",
          "read the key: no",
          "read the App settings: no",
          "read the token: no",
          "read an owner token: no",
          "read an answer for git: no",
          "read an owner answer: no",
          "read gh: no",
          "read ~/.ssh: no",
          "change takopi.toml: no",
          "write to the home: no",
        ]);
      },
    );

    test("with the chat host's unit up, the message has its buttons; a drop-in gives it a bot_token_env", async () => {
      await using telegram = await createTelegramFake();
      await using host = await createBootstrappedUser();
      const token = 'bot_token_env = "CHAT_TOKEN"';
      host.write(takopiToml, `transport = "telegram"\n${telegramTable(telegram, { token })}`);
      const installed = `${host.home}/.local/lib/takopi-ghauth/current/scripts/install_local.sh`;
      expect((await host.run([installed])).exitCode).toBe(0);
      host.write(".config/takopi/chat.env", `CHAT_TOKEN=${telegramToken}\n`);
      for (const each of [unit, "takopi-ghauth.service"])
        await host.dropIn(each, "[Service]\nEnvironmentFile=%h/.config/takopi/chat.env\n");
      await host.systemctl("start", "takopi-ghauth.service");
      await eventually(() => telegram.callsOf("getUpdates").length > 0);
      breakKey(host);

      await host.run(["systemctl", "--user", "start", refreshService]);

      await eventually(() => telegram.messageIds().length > 0);
      expect(telegram.message(telegram.messageIds()[0] ?? 0)?.keyboard).toEqual([
        "/ghauth refresh",
        "/ghauth doctor",
      ]);
    });

    test("bootstrap prints where alerts go and how to stop them; uninstall removes the unit and what it remembers", async () => {
      await using telegram = await createTelegramFake();
      await using host = await createBootstrappedUser();
      host.write(takopiToml, `transport = "telegram"\n${telegramTable(telegram)}`);

      const { exitCode, stdout } = await host.script("bootstrap_user_refresh.sh", [], host.settings);

      expect({ exitCode, stdout }).toEqual({
        exitCode: 0,
        stdout: expect.stringMatching(
          /^Alerts go to the Telegram chat -1001234567890 .* To stop them, set enabled = false in \[plugins\.ghauth\.alerts\] of ~\/\.takopi\/takopi\.toml\.$/m,
        ),
      });
      expect(telegram.callsOf("sendMessage")).toEqual([]);
      await eventually(() => host.has(".local/state/takopi/alerts.json"));
      await isAtRest(host);
      const removed = await host.script("uninstall_user_refresh.sh", ["--purge"]);
      expect(removed.exitCode).toBe(0);
      expect(host.has(`.config/systemd/user/${unit}`)).toBe(false);
      expect(host.has(".local/state/takopi")).toBe(false);
    });
  },
);
