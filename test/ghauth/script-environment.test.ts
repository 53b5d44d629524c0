import { describe, expect, test } from "vitest";
import { settings } from "../../src/source/settings-table.js";
import { parsePluginConfig } from "../../src/ghauth/plugin-config.js";
import { resolvePaths } from "../../src/system/paths.js";
import { createMachine, type Machine } from "../support/machine.js";

const usual = {
  PATH: process.env["PATH"] ?? "",
  LANG: "C.UTF-8",
  LC_TIME: "C",
  TZ: "UTC",
  XDG_STATE_HOME: "/somewhere/state",
  HTTPS_PROXY: "http://127.0.0.1:1",
  no_proxy: "localhost",
  SSL_CERT_FILE: "/certificates.pem",
  CURL_CA_BUNDLE: "/certificates.pem",
  ...Object.fromEntries(Object.keys(settings).map((name) => [name, "a setting"])),
};
const others = {
  OPENAI_API_KEY: "another service's",
  NODE_OPTIONS: "--no-warnings",
  AWS_SECRET_ACCESS_KEY: "another service's",
};
const withheld = {
  GH_TOKEN: "somebody's",
  GITHUB_TOKEN: "somebody's",
  GH_ENTERPRISE_TOKEN: "somebody's",
  GITHUB_ENTERPRISE_TOKEN: "somebody's",
  GITHUB_APP_PRIVATE_KEY: "the key",
  GHAUTH_STORE_PASSWORD: "the store's",
  SSH_AUTH_SOCK: "/agent",
};

/** The names of what the script was given, asked for as `who` does. */
async function given(machine: Machine, who: "chat" | "terminal", plugin = ""): Promise<string[]> {
  const names = `${machine.root}/given`;
  machine.write(machine.paths.refreshScript, `#!/bin/sh\nenv | sed 's/=.*//' >'${names}'\n`, 0o755);
  machine.write(
    machine.paths.takopiConfig,
    `transport = "telegram"\n[transports.telegram]\nchat_id = 42\n[plugins.ghauth]\n${plugin}\n`,
  );
  const env = { ...others, ...withheld, ...usual };
  if (who === "terminal") await machine.ghauth(["refresh"], { env });
  else {
    const request = {
      v: 1,
      args: ["refresh"],
      channel_id: "42",
      sender_id: "42",
      plugin_config: plugin === "" ? {} : { refresh_env: ["OPENAI_API_KEY"] },
      config_path: machine.paths.takopiConfig,
    };
    await machine.ghauth(["command"], { env, input: JSON.stringify(request) });
  }
  return machine.read(names).trim().split("\n");
}

describe.concurrent("what the refresh script finds in its environment", () => {
  test("from chat: its settings and what any program needs, and nothing else that the bot holds", async () => {
    await using machine = await createMachine();
    const names = await given(machine, "chat");
    expect(names).toEqual(expect.arrayContaining(Object.keys(usual)));
    const strange = new Set([...Object.keys(others), ...Object.keys(withheld)]);
    expect(names.filter((name) => strange.has(name))).toEqual([]);
  });

  test("refresh_env adds a variable", async () => {
    await using machine = await createMachine();
    const names = await given(machine, "chat", 'refresh_env = ["OPENAI_API_KEY"]');
    expect(names).toContain("OPENAI_API_KEY");
    expect(names).not.toContain("AWS_SECRET_ACCESS_KEY");
  });

  test("in a terminal: what its user has, but the store's password", async () => {
    await using machine = await createMachine();
    const names = await given(machine, "terminal");
    expect(names).toEqual(expect.arrayContaining([...Object.keys(others), "GITHUB_APP_PRIVATE_KEY"]));
    expect(names).not.toContain("GHAUTH_STORE_PASSWORD");
  });
});

test.each([...Object.keys(withheld), "A=B", ""])("refresh_env may not name %j", (name) => {
  const env = { HOME: "/home/of-nobody" };
  const where = { configPath: "takopi.toml", paths: resolvePaths(env), env };
  expect(() => parsePluginConfig({ refresh_env: [name] }, where)).toThrow(
    /takopi\.toml: plugins\.ghauth\.refresh_env.* must be the name of a variable, and of none/,
  );
});
