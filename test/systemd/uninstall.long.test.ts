import { describe, expect, test } from "vitest";
import { createBootstrappedUser, noUserManager, type UserManager } from "../support/user-manager.js";

const timer = "takopi-github-token-refresh.timer";
const uninstall = "uninstall_user_refresh.sh";

async function filesOf(host: UserManager): Promise<string[]> {
  const lines = await host.listFiles();
  return lines.filter((line) => / [fl] /.test(line)).map((line) => line.split(/ [fl] /)[0] ?? "");
}

describe.skipIf(noUserManager !== null)(
  `uninstall_user_refresh.sh (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    test("--purge leaves nothing: no unit, drop-in, stamp, program, state, key or token", async () => {
      await using host = await createBootstrappedUser();
      await host.dropIn("takopi-github-token-refresh.service", "[Service]\nRestartSec=5\n");
      await host.run([`${host.home}/.local/lib/takopi-ghauth/current/scripts/install_local.sh`]);
      const settings = ".config/takopi/github-app.env";
      host.write("elsewhere/token.env", "");
      const odd = ' export TOKEN_ENV_FILE = "~/elsewhere/token.env"  # "here"';
      host.write(settings, `\uFEFF${host.read(settings)}${odd}\r\n`);

      const { exitCode, stderr } = await host.script(uninstall, ["--purge"]);

      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
      expect(await filesOf(host)).toEqual(["app key.pem"]);
      expect((await host.listFiles()).join("\n")).not.toContain("takopi");
      expect(await host.property(timer, "LoadState")).toBe("not-found");
      expect(await host.property(timer, "ActiveState")).toBe("inactive");
      expect((await host.script(uninstall, ["--purge"])).exitCode).toBe(0);
    });

    test("without --purge and without a terminal it keeps key, settings and token", async () => {
      await using host = await createBootstrappedUser();
      // The installed copy does, when the checkout is gone.
      const { exitCode, stdout } = await host.run([
        `${host.home}/.local/lib/takopi-ghauth/current/scripts/${uninstall}`,
      ]);

      expect(exitCode).toBe(0);
      expect(stdout).toMatch(/Remove them with rm -f -- \S.*\.config\/takopi\/github-app\.pem /);
      expect(await filesOf(host)).toEqual([
        ".config/takopi/github-app.env",
        ".config/takopi/github-app.pem",
        ".config/takopi/github-token.env",
        `.local/state/takopi/git/${new URL(host.baseUrl).host}`,
        ".local/state/takopi/git/github.com",
        ".local/state/takopi/github-token-refresh.jsonl",
        ".local/state/takopi/github-token-refresh.lock",
        "app key.pem",
      ]);
      expect(await host.property(timer, "LoadState")).toBe("not-found");
      expect((await host.script("bootstrap_user_refresh.sh")).exitCode).toBe(0);
    });

    test("at a terminal it asks", async () => {
      await using host = await createBootstrappedUser();
      const answering = (answer: string) =>
        host.run(["script", "-qec", `/run/checkout/scripts/${uninstall}`, "/dev/null"], {
          input: `${answer}\n`,
        });

      expect((await answering("n")).stdout).toContain("Kept: ~/.config/takopi");
      expect(host.has(".config/takopi/github-app.pem")).toBe(true);
      expect((await answering("y")).stdout).toContain("removed ~/.config/takopi/github-app.pem");
      expect(await filesOf(host)).toEqual(["app key.pem"]);
    });

    test("while the chat host is installed, the program that it needs stays", async () => {
      await using host = await createBootstrappedUser();
      await host.run([`${host.home}/.local/lib/takopi-ghauth/current/scripts/install_local.sh`]);

      const { stdout } = await host.script(uninstall);

      expect(stdout).toMatch(
        /Kept: ~\/\.local\/lib\/takopi-ghauth, because takopi-ghauth(-broker)?\.service needs it\./,
      );
      expect((await host.run(["ghauth", "status"])).stdout).toContain("timer: not installed");
    });
  },
);
