import { describe, expect, test } from "vitest";
import { createUserManager, noUserManager } from "../support/user-manager.js";

describe.skipIf(noUserManager !== null)(
  `on a real systemd --user${noUserManager ? ` (skipped: ${noUserManager})` : ""}`,
  () => {
    test("bootstrap from nothing: the timer is active, the token is there, and gh has it", async () => {
      await using host = await createUserManager();
      await host.write("app key.pem", host.machine.pem);
      const r = await host.script("bootstrap_user_refresh.sh", [], { ...host.settings, GH_AUTH: "off" });
      expect(r.exitCode).toBe(0);
    });
  },
);
