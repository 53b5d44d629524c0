import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { createBootstrappedUser, eventually, noUserManager } from "../support/user-manager.js";

const timer = "takopi-github-token-refresh.timer";
const service = "takopi-github-token-refresh.service";

describe.skipIf(noUserManager !== null)(
  `the refresh service (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    test("a tick of the timer refreshes", async () => {
      await using host = await createBootstrappedUser({ ticking: true });
      await host.dropIn(timer, "[Timer]\nOnActiveSec=100ms\nAccuracySec=1ms\nRandomizedDelaySec=0\n");

      await host.systemctl("restart", timer);

      await eventually(() => host.github.mints >= 2);
      const status = await eventually(async () => {
        const { timer: seen } = JSON.parse((await host.run(["ghauth", "status", "--json"])).stdout);
        return seen.last_result === "success" && seen;
      });
      expect(status).toEqual({
        active: true,
        next_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        last_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        last_result: "success",
      });
      const { stdout } = await host.run(["ghauth", "flow"]);
      expect(stdout).toContain("schedule: every 45 minutes");
      expect(stdout).toMatch(/^next run: in /m);
    });

    test("while GitHub is down it tries again by itself, and recovers when GitHub is back", async () => {
      await using host = await createBootstrappedUser();
      await host.dropIn(
        service,
        "[Service]\nRestartSec=100ms\nEnvironment=GHAUTH_REFRESH_DEADLINE_SECONDS=1\n",
      );
      host.github.refuse("reset", { times: 100_000 });

      await host.systemctl("start", "--no-block", service);
      await eventually(async () => Number(await host.property(service, "NRestarts")) >= 2);
      const retrying = await eventually(async () => {
        const { stdout } = await host.run(["ghauth", "status"]);
        return stdout.includes("tries again every minute") && stdout;
      });
      expect(retrying).toMatch(/^last run: exit-code 75 \(tries again every minute\)/m);
      expect(retrying).toContain("GitHub token: fresh");
      await host.dropIn(service, "[Service]\nRestartSec=100ms\n");
      host.github.allow();

      await eventually(() => host.github.mints === 2);
      await eventually(async () => (await host.property(service, "ActiveState")) === "inactive");
      expect(await host.property(service, "Result")).toBe("success");
    });

    test("a bad key ends in failed, without another try, and status says what to do", async () => {
      await using host = await createBootstrappedUser();
      const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
      host.write(
        ".config/takopi/github-app.pem",
        privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
      );
      await host.dropIn(service, "[Service]\nRestartSec=1ms\n");

      const { exitCode } = await host.run(["systemctl", "--user", "start", service]);

      expect(exitCode).not.toBe(0);
      expect(await host.property(service, "ActiveState")).toBe("failed");
      expect(await host.property(service, "ExecMainStatus")).toBe("78");
      expect(await host.property(service, "NRestarts")).toBe("0");
      const { stdout } = await host.run(["ghauth", "status"]);
      expect(stdout).toMatch(/^- The last refresh failed: .*key/m);
      expect(stdout).toContain(
        `- The refresh service failed (exit-code, status 78) and waits for the timer's next tick: a person must change something, as the last refresh says; then run systemctl --user start ${service}.`,
      );
    });

    test("started by hand six times in a row, it runs into no limit", async () => {
      await using host = await createBootstrappedUser();

      for (let times = 0; times < 6; times++) await host.systemctl("start", service);

      expect(host.github.mints).toBe(7);
    });

    test.each(["/home/the operator's", "/srv/operator", "/tmp/operator"])(
      "its sandbox denies what it does not need, with the home %s",
      async (home) => {
        await using host = await createBootstrappedUser({ home });
        host.write(".ssh/id_ed25519", "a key of the user's\n");
        host.write(".takopi/takopi.toml", "bot_token\n");
        host.write(
          "probe",
          `try() { if eval "$2" >/dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi; }
try 'read the key' 'cat ~/.config/takopi/github-app.pem'
try 'write beside the token' 'touch ~/.config/takopi/probe && rm ~/.config/takopi/probe'
try 'read ~/.ssh' 'cat ~/.ssh/id_ed25519'
try 'read the chat tokens' 'cat ~/.takopi/takopi.toml'
try 'change the key' 'echo >>~/.config/takopi/github-app.pem'
try 'replace the settings' 'touch ~/.config/takopi/x && mv -f ~/.config/takopi/x ~/.config/takopi/github-app.env'
try 'write to the home' 'touch ~/probe.written'
try 'write to ~/.local/bin' 'touch ~/.local/bin/probe'
try 'write to /etc' 'touch /etc/probe'
try 'see /tmp' '[ -e /tmp/seen-outside ]'
try 'use a block device' '[ -e /dev/sda ] || [ -e /dev/vda ] || [ -e /dev/kmsg ]'
try 'make a namespace' 'unshare --user true'
`,
        );
        await host.run(["touch", "/tmp/seen-outside"]);
        await host.dropIn(
          service,
          "[Service]\nExecStart=\nExecStart=/bin/bash -c 'rm -f ~/.config/takopi/x; source ~/probe >~/.local/state/takopi/probe'\n",
        );

        await host.systemctl("start", service);

        expect(host.read(".local/state/takopi/probe").trim().split("\n")).toEqual([
          "read the key: yes",
          "write beside the token: yes",
          "read ~/.ssh: no",
          "read the chat tokens: no",
          "change the key: no",
          "replace the settings: no",
          "write to the home: no",
          "write to ~/.local/bin: no",
          "write to /etc: no",
          "see /tmp: no",
          "use a block device: no",
          "make a namespace: no",
        ]);
      },
    );
  },
);
