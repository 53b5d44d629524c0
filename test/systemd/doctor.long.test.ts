import { rmSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Diagnosis } from "../support/doctor.js";
import {
  createBootstrappedUser,
  eventually,
  noUserManager,
  type UserManager,
} from "../support/user-manager.js";

const timer = "takopi-github-token-refresh.timer";
const planted = `ghp_${"Planted4".repeat(5)}`;

async function createHost() {
  const host = await createBootstrappedUser();
  const installed = `${host.home}/.local/lib/takopi-ghauth/current/scripts/install_local.sh`;
  const { exitCode, stderr } = await host.run([installed]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return host;
}

const diagnose = async (host: UserManager, label: string): Promise<Diagnosis> => {
  const { stdout, stderr } = await host.run(["ghauth", "doctor", "--json"]);
  expect(stderr).toBe("");
  const { checks }: { checks: Diagnosis[] } = JSON.parse(stdout);
  return checks.find((each) => each.label === label) ?? expect.fail(`no line for ${label}`);
};
const apply = async (host: UserManager, remedy: string | null) => {
  const { exitCode, stderr } = await host.run(["bash", "-c", remedy ?? ""]);
  expect({ exitCode, stderr: exitCode === 0 ? "" : stderr }).toEqual({ exitCode: 0, stderr: "" });
};

describe.skipIf(noUserManager !== null)(
  `doctor beside a user manager (${noUserManager ?? "real systemd"})`,
  { concurrent: true, timeout: 120_000 },
  () => {
    test("a timer that is stopped, or not enabled, and a token that is gone: the printed commands mend them", async () => {
      await using host = await createHost();
      expect(await diagnose(host, "timer")).toMatchObject({ level: "ok" });
      expect(await diagnose(host, "linger")).toMatchObject({ level: "ok", detail: "on" });

      await host.systemctl("stop", timer);
      const stopped = await diagnose(host, "timer");
      expect(stopped).toMatchObject({ level: "error", detail: expect.stringContaining("not active") });
      await apply(host, stopped.remedy);
      expect(await diagnose(host, "timer")).toMatchObject({ level: "ok" });

      await host.systemctl("disable", timer);
      const disabled = await diagnose(host, "timer");
      expect(disabled).toMatchObject({ level: "error", detail: expect.stringContaining("not enabled") });
      await apply(host, disabled.remedy);
      expect(await diagnose(host, "timer")).toMatchObject({ level: "ok" });

      rmSync(host.path(".config/takopi/github-token.env"));
      const missing = await diagnose(host, "token");
      expect(missing.remedy).toBe("systemctl --user start takopi-github-token-refresh.service");
      await apply(host, missing.remedy);
      expect(await diagnose(host, "token")).toMatchObject({ level: "ok" });
    });

    test("a token in the manager's environment is taken away by --fix, and can come back", async () => {
      await using host = await createHost();
      await host.systemctl("set-environment", `GH_TOKEN=${planted}`);
      expect(await diagnose(host, "environment")).toMatchObject({
        level: "error",
        remedy: "systemctl --user unset-environment GH_TOKEN",
      });
      const { stdout } = await host.run(["ghauth", "doctor", "--fix", "--yes"]);
      expect(await diagnose(host, "environment")).toMatchObject({ level: "ok" });
      await apply(host, /^ {2}to undo: (.*GH_TOKEN.*)$/m.exec(stdout)?.[1] ?? null);
      const { stdout: shown } = await host.run([
        "bash",
        "-c",
        `systemctl --user show-environment | grep -c '^GH_TOKEN=${planted}$'`,
      ]);
      expect(shown.trim()).toBe("1");
    });

    test("in the chat host's sandbox it says what it cannot see, and GitHub is heard all the same", async () => {
      await using host = await createHost();
      host.write(".takopi/takopi.toml", 'transport = "console"\n');
      host.write(".takopi/lines", "/ghauth doctor\n");
      host.write(".gitconfig", '[credential "https://github.com"]\n\thelper =\n\thelper = ghauth\n');
      rmSync(host.path("app key.pem")); // what bootstrap was given
      await host.dropIn(
        "takopi-ghauth.service",
        "[Service]\nStandardInput=file:%h/.takopi/lines\nStandardOutput=file:%h/.takopi/answers\nStandardError=inherit\n",
      );
      await host.systemctl("start", "takopi-ghauth.service");
      const answer = await eventually(() => {
        const text = host.has(".takopi/answers") ? host.read(".takopi/answers") : "";
        return /^- github: .*\n/m.test(text) && text;
      });
      expect(answer).toMatch(
        /^- config: warning \(~\/\.config\/takopi\/github-app\.env cannot be seen from here/m,
      );
      expect(answer).toMatch(/^- key: warning \(the key cannot be seen from here/m);
      expect(answer).toMatch(/^- leftovers: warning \(\/tmp cannot be seen from here/m);
      expect(answer).toMatch(/^- timer: ok /m);
      expect(answer).toMatch(/^- github: ok \(2 repositories/m);
      expect(answer).toMatch(/^- git helper: ok /m);
      expect(answer).not.toMatch(/^- [a-z ]+: error/m);
    });
  },
);
