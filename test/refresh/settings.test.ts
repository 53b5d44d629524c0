import { existsSync } from "node:fs";
import { dirname } from "node:path";
import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";

const shells = ["dash", "bash", "busybox ash"];
const names = ["GITHUB_APP_ID", "TOKEN_ENV_FILE", "GITHUB_APP_REPOSITORIES", "GH_CONFIG_DIR", "GH_AUTH"];
const print = names.map((name) => `"$${name}"`).join(" ");

test("--settings prints what would be used, for any shell to eval: defaults, absolute paths, the environment's values", async () => {
  await using machine = await createMachine();
  machine.write(
    machine.paths.appEnvFile,
    `GITHUB_APP_ID=1\nTOKEN_ENV_FILE=~/agent's files/$(id) \`id\` \\ "x".env\nGITHUB_APP_REPOSITORIES=acme/site, acme/tools\n`,
  );

  const settings = await machine.refresh({ args: ["--settings"], env: { GITHUB_APP_ID: "Iv2" } });

  expect(settings).toMatchObject({ exitCode: 0, stderr: "" });
  for (const shell of shells) {
    const script = `set -eu; eval "$1"; printf '%s\\n' ${print}`;
    const { stdout } = await machine.run(["env", ...shell.split(" "), "-c", script, "sh", settings.stdout]);
    expect(stdout.split("\n")).toEqual([
      "Iv2",
      `${machine.home}/agent's files/$(id) \`id\` \\ "x".env`,
      "acme/site, acme/tools",
      `${machine.home}/.config/gh`,
      "auto",
      "",
    ]);
  }
  expect(machine.github.requests).toEqual([]);
  expect(existsSync(dirname(machine.paths.refreshLog))).toBe(false);
});

test("--settings prints no secret", async () => {
  await using machine = await createMachine();
  const env = {
    GITHUB_APP_PRIVATE_KEY: machine.pem,
    HTTPS_PROXY: "http://me:proxy-password@proxy.example:3128",
    GITHUB_TOKEN_COMMAND: "fetch --header 'Authorization: Bearer vault-bearer-0123456789'",
  };

  const { exitCode, stdout } = await machine.refresh({ args: ["--settings"], env });

  expect(exitCode).toBe(0);
  expect(stdout).toContain("HTTPS_PROXY='http://me:[redacted]@proxy.example:3128'");
  expect(stdout).not.toMatch(/PRIVATE_KEY|proxy-password|vault-bearer/);
});

test("--settings says all that is wrong, a line each, and prints nothing to eval", async () => {
  await using machine = await createMachine();
  machine.write(machine.paths.appEnvFile, "GH_AUTH=maybe\nGITHUB_APP_PERMISSIONS=everything\n");

  const { exitCode, stdout, stderr } = await machine.refresh({ args: ["--settings"] });

  expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
  expect(stderr.trim().split("\n")).toEqual([
    expect.stringMatching(/^GITHUB_APP_ID is not set: /),
    expect.stringMatching(/^GITHUB_APP_INSTALLATION_ID must be set, /),
    expect.stringMatching(/^GITHUB_APP_PERMISSIONS: "everything" is no permission; /),
    expect.stringMatching(/^GH_AUTH must be auto or off, /),
  ]);
});
