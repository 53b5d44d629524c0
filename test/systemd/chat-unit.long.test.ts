import { describe, expect, test } from "vitest";
import {
  createBootstrappedUser,
  eventually,
  noUserManager,
  type UserManager,
} from "../support/user-manager.js";

const unit = "takopi-ghauth.service";

/** The chat host as install_local.sh puts it, from what bootstrap installed: that takes no build. */
async function createChatHost() {
  const host = await createBootstrappedUser();
  const installed = `${host.home}/.local/lib/takopi-ghauth/current/scripts/install_local.sh`;
  const { exitCode, stderr } = await host.run([installed]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return host;
}

/** What that process of the unit could do when it first tried. */
function answersOf(host: UserManager, pid: string): string | null {
  const attempts = host.has("answers") ? host.read("answers").split(/^(?=process)/m) : [];
  const attempt = attempts.find((text) => text.startsWith(`process ${pid}\n`) && /^write: /m.test(text));
  return attempt?.replace(/^process.*\n/, "") ?? null;
}

describe.skipIf(noUserManager !== null)(
  `the chat host's unit (${noUserManager ?? "real systemd"})`,
  { concurrent: true },
  () => {
    test("/ghauth refresh and revoke work from inside its sandbox, and status sees the timer", async () => {
      await using host = await createChatHost();
      host.write(
        ".takopi/takopi.toml",
        'transport = "console"\n[plugins.ghauth]\nrefresh_timeout_seconds = 20\n',
      );
      host.write(".takopi/lines", "/ghauth status\n/ghauth refresh\n/ghauth revoke\n/ghauth revoke\n");
      await host.dropIn(
        unit,
        "[Service]\nStandardInput=file:%h/.takopi/lines\nStandardOutput=file:%h/.takopi/answers\nStandardError=inherit\n",
      );

      await host.systemctl("start", unit);

      const answers = await eventually(() => {
        const text = host.has(".takopi/answers") ? host.read(".takopi/answers") : "";
        return /^Revoke (?:succeeded|failed)[\s\S]*^output:\n.*\n/m.test(text) && text;
      });
      expect(answers).toMatch(/^timer: active, enabled$/m);
      expect(answers).toMatch(/^Refresh succeeded\.$/m);
      expect(answers).toMatch(/^Refreshed: token ghs_\S+… /m);
      expect(host.read(".local/state/takopi/github-token-refresh.jsonl")).toContain('"trigger":"terminal"');
      // What was asked first is remembered in the host alone, which may write nothing down from there.
      expect(answers).toMatch(/^Revoke the GitHub token\?$/m);
      expect(answers).toMatch(/^Token ghs_\S+… \(sha256 \w{8}\) was revoked at GitHub\. Refreshed: /m);
      expect(host.has(".local/state/takopi/revoke-asked.json")).toBe(false);
      expect(host.github.mints).toBe(3);
    });

    test("it can read neither the key nor the App's settings, also not a key that bootstrap has replaced", async () => {
      await using host = await createChatHost();
      host.write(
        "probe",
        `try() { if cat "$1" >/dev/null 2>&1; then echo "$1: yes"; else echo "$1: no"; fi; }
cd ~/.config/takopi
while :; do
  echo "process $$"
  try github-token.env
  try github-app.pem
  try github-app.env
  if echo x 2>/dev/null >>github-token.env; then echo "write: yes"; else echo "write: no"; fi
  sleep 0.02
done
`,
      );
      await host.dropIn(
        unit,
        "[Service]\nExecStart=\nExecStart=/bin/bash %h/probe\nStandardOutput=append:%h/answers\n",
      );
      await host.systemctl("start", unit);
      const first = await eventually(async () => answersOf(host, await host.property(unit, "MainPID")));

      const { exitCode } = await host.script("bootstrap_user_refresh.sh", [], {
        GITHUB_APP_PERMISSIONS: "contents:read",
        GITHUB_APP_PRIVATE_KEY: host.pem.replaceAll("\n", "\r\n"),
      });
      const second = await eventually(async () => answersOf(host, await host.property(unit, "MainPID")));

      expect(exitCode).toBe(0);
      expect(host.read(".config/takopi/github-app.env")).toContain("GITHUB_APP_PERMISSIONS");
      const denied = "github-token.env: yes\ngithub-app.pem: no\ngithub-app.env: no\nwrite: no\n";
      expect({ first, second }).toEqual({ first: denied, second: denied });
      expect(host.read("answers")).not.toMatch(/github-app.*: yes/);
    });
  },
);
