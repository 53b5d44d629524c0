import { spawnSync } from "node:child_process";
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { apply, createSoundMachine, diagnose } from "../../support/doctor.js";
import type { Machine } from "../../support/machine.js";

const isMissing = spawnSync("gh", ["--version"]).error !== undefined && process.env["CI"] !== "true";
const planted = `gho_${"Planted5".repeat(5)}`;

/** A machine on which a refresh logs gh in, by way of a socket under GitHub's own name. */
async function createMachineWithGh(): Promise<Machine> {
  const machine = await createSoundMachine();
  const socketPath = await machine.github.listen({ socketPath: join(machine.root, "github.sock") });
  machine.write(join(machine.home, ".config/gh/config.yml"), `http_unix_socket: ${socketPath}\n`);
  machine.write(
    machine.paths.appEnvFile,
    machine.read(machine.paths.appEnvFile).replace("GH_AUTH=off\n", ""),
  );
  return machine;
}

test.skipIf(isMissing)("doctor finds a gh without the refreshed token, and a refresh mends it", async () => {
  await using machine = await createMachineWithGh();
  const hosts = join(machine.home, ".config/gh/hosts.yml");
  const look = async () => (await diagnose(machine))("gh");

  const none = await look();
  expect(none).toMatchObject({ level: "error", detail: "not logged in" });
  await apply(machine, none.remedy);
  expect(await look()).toMatchObject({
    level: "ok",
    detail: expect.stringMatching(/^has the refreshed token/),
  });
  const host = /^\S+(?=:)/.exec(machine.read(hosts))?.[0] ?? "";

  for (const [text, detail] of [
    [
      `    user: alice\n    oauth_token: ${planted}\n    git_protocol: https\n`,
      "logged in as alice: another account than the App's",
    ],
    [
      "    user: alice\n    git_protocol: https\n",
      "logged in as alice, with its token in a keyring, which no service can reach",
    ],
    [`    oauth_token: ghs_${"Planted6".repeat(5)}\n`, "has another token than the refreshed one"],
  ] as const) {
    machine.write(hosts, `${host}:\n${text}`);
    const found = await look();
    expect(found).toMatchObject({ level: "error", detail });
    await apply(machine, found.remedy);
    expect(await look()).toMatchObject({ level: "ok" });
  }

  chmodSync(hosts, 0o644);
  const open = await look();
  expect(open).toMatchObject({
    level: "error",
    detail: expect.stringContaining("hosts.yml can be read by others"),
  });
  await apply(machine, open.remedy);
  expect(await look()).toMatchObject({ level: "ok" });
});
