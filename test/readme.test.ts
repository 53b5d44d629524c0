import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parsePluginConfig } from "../src/ghauth/plugin-config.js";
import { parseAlertSettings } from "../src/notify/alert-settings.js";
import { resolvePaths } from "../src/system/paths.js";
import { readTakopiConfig } from "../src/takopi/takopi-config.js";
import { discord } from "../src/transports/discord/transport.js";
import { telegram } from "../src/transports/telegram/transport.js";
import { createMachine, executables } from "./support/machine.js";

const checkout = join(import.meta.dirname, "..");
const readme = readFileSync(join(checkout, "README.md"), "utf8");

// Those marked bash are for a server.
const snippets = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .map(([, text = ""]) => text.trim())
  // The tests run in an installed checkout, and are themselves the last command.
  .map((text) => text.replace(/^npm ci && /, ""))
  .filter((text) => text !== "npm test");

test("README's commands do what it says, one after the other", async () => {
  await using machine = await createMachine();
  const bin = join(machine.root, "bin");
  mkdirSync(bin);
  symlinkSync(executables.ghauth, join(bin, "ghauth"));
  symlinkSync(executables.refresh, join(bin, "takopi-refresh-github-token"));
  expect(snippets.length).toBeGreaterThan(3);
  for (const snippet of snippets) {
    const options = {
      cwd: checkout,
      env: { PATH: `${bin}:${machine.env["PATH"] ?? ""}`, npm_config_update_notifier: "false" },
    };
    const { exitCode, stdout, stderr } = await machine.run(["sh", "-ec", snippet], options);
    expect({ snippet, exitCode, stderr }).toEqual({ snippet, exitCode: 0, stderr: "" });
    expect(stdout).not.toBe("");
  }
});

test("takopi.example.toml is a configuration, and says the defaults", () => {
  const paths = resolvePaths({ HOME: "/home/takopi" });
  const config = readTakopiConfig(join(checkout, "takopi.example.toml"));
  const parse = (table: Readonly<Record<string, unknown>>) =>
    parsePluginConfig(table, { configPath: config.path, paths, env: {} });
  expect(config.transports).toEqual(["console"]);
  expect(parse(config.pluginConfig("ghauth"))).toEqual(parse({}));
});

test("what takopi.example.toml leaves commented out is a configuration too, for both chats", () => {
  const example = readFileSync(join(checkout, "takopi.example.toml"), "utf8");
  const directory = mkdtempSync(join(tmpdir(), "ghauth-test-"));
  try {
    const path = join(directory, "takopi.toml");
    writeFileSync(path, example.replace(/^# (?=\[|\w+ = )/gm, "").replaceAll('"..."', '"1:token"'), {
      mode: 0o600,
    });
    const config = readTakopiConfig(path);
    expect(telegram.create(config, {})).toMatchObject({
      access: { place: { id: "-1001234567890", ownerId: null }, userIds: new Set(["42"]) },
      postsStartupMessage: false,
    });
    expect(discord.create(config, {})).toMatchObject({
      access: { place: { id: "123456789012345678" }, roleIds: new Set() },
      postsStartupMessage: false,
    });
    expect(config.enabledPlugins).toEqual(["takopi-ghauth"]);
    const keys = [...(telegram.alerts?.keys ?? []), ...(discord.alerts?.keys ?? [])];
    expect(parseAlertSettings(config, keys)).toMatchObject({ isEnabled: true, mentions: false });
  } finally {
    rmSync(directory, { recursive: true });
  }
});
