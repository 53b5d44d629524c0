import { expect, test } from "vitest";
import { parseRefreshConfig } from "../../src/refresh/refresh-config.js";
import { readRefreshSettings } from "../../src/source/settings.js";
import { resolvePaths } from "../../src/system/paths.js";
import { makeDirectory } from "../support/programs.js";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const home = "/home/operator";
const app = { GITHUB_APP_ID: "42", GITHUB_APP_INSTALLATION_ID: "43" };
const parse = (settings: Record<string, string>) =>
  parseRefreshConfig({ ...app, ...settings }, resolvePaths({ HOME: home }));

/** The settings that a github-app.env of this text and this environment make. */
function read(text: string, env: Record<string, string> = {}) {
  const directory = makeDirectory();
  mkdirSync(join(directory, "takopi"));
  writeFileSync(join(directory, "takopi/github-app.env"), text);
  const environment = { XDG_CONFIG_HOME: directory, HOME: home, ...env };
  return readRefreshSettings(environment, resolvePaths(environment));
}

test("without settings but the IDs, everything is where the documentation says", () => {
  expect(parse({})).toEqual({
    apiUrl: new URL("https://api.github.com"),
    source: {
      type: "app",
      appId: "42",
      installationId: "43",
      privateKey: { path: `${home}/.config/takopi/github-app.pem` },
      scope: { owner: null, repositories: [], permissions: {} },
      names: {},
    },
    tokenEnvFile: `${home}/.config/takopi/github-token.env`,
    gh: { configDir: `${home}/.config/gh`, host: "github.com" },
    deadlineSeconds: 60,
    extraCaFile: null,
  });
});

test("a ~ is the home directory, in the name of the source's command too", () => {
  const settings = { NODE_EXTRA_CA_CERTS: "~/ca.pem", TOKEN_ENV_FILE: "~/token.env" };
  expect(parse(settings)).toMatchObject({ extraCaFile: `${home}/ca.pem`, tokenEnvFile: `${home}/token.env` });
  const command = { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "~/bin/token ~/x" };
  expect(parse(command).source).toEqual({ type: "command", words: [`${home}/bin/token`, "~/x"] });
});

test.for([
  ["https://api.github.com", "github.com"],
  ["https://api.acme.ghe.com", "acme.ghe.com"],
  ["https://ghe.example.com:8443/api/v3", "ghe.example.com"],
  ["http://127.0.0.1:8080", "127.0.0.1"],
] as const)("gh's host for %s is %s", ([url, host]) => {
  expect(parse({ GITHUB_API_URL: url }).gh?.host).toBe(host);
});

test("the environment wins over github-app.env, and an empty variable counts as unset", () => {
  const settings = read("GITHUB_APP_ID=1\nGITHUB_API_URL=https://a.example\nGH_AUTH=\n", {
    GITHUB_APP_ID: "2",
    GITHUB_API_URL: "",
    GH_AUTH: "",
  });
  expect(settings).toMatchObject({ GITHUB_APP_ID: "2", GITHUB_API_URL: "https://a.example" });
  expect(settings["GH_AUTH"]).toBeUndefined();
});

test("a key's path from the environment wins whichever of its two names each side uses", () => {
  const settings = read("GITHUB_APP_PRIVATE_KEY_PATH=/file.pem\n", {
    GITHUB_APP_PRIVATE_KEY_FILE: "~/env.pem",
  });
  expect(parseRefreshConfig({ ...app, ...settings }, resolvePaths({ HOME: home })).source).toMatchObject({
    privateKey: { path: `${home}/env.pem` },
  });
});

test("github-app.env is read as people write it", () => {
  const text = [
    "\uFEFF# settings",
    "export GITHUB_APP_ID = '7'\r",
    'GITHUB_TOKEN_COMMAND="vault read \\"secret/a b\\""',
    "TOKEN_ENV_FILE=~/token.env   ",
    "GITHUB_APP_ID=8 # not a comment",
    "nonsense",
  ].join("\n");

  expect(read(text)).toMatchObject({
    GITHUB_APP_ID: "8 # not a comment",
    GITHUB_TOKEN_COMMAND: 'vault read "secret/a b"',
    TOKEN_ENV_FILE: "~/token.env",
  });
});

test.for([
  [{ GITHUB_APP_ID: "" }, "GITHUB_APP_ID must be a number or a client ID"],
  [{ GITHUB_APP_ID: "12 34" }, "GITHUB_APP_ID must be a number or a client ID"],
  [{ GITHUB_APP_INSTALLATION_ID: "acme" }, "GITHUB_APP_INSTALLATION_ID must be a number"],
  [{ GITHUB_API_URL: "api.github.com" }, "GITHUB_API_URL must be a plain http(s) URL"],
  [{ GITHUB_API_URL: "https://me:pw@api.github.com" }, "GITHUB_API_URL must be a plain http(s) URL"],
  [{ GITHUB_TOKEN_SOURCE: "vault" }, 'GITHUB_TOKEN_SOURCE must be one of app, broker, command, not "vault"'],
  [{ GITHUB_TOKEN_SOURCE: "constructor" }, "GITHUB_TOKEN_SOURCE must be one of app, broker, command"],
  [{ GITHUB_TOKEN_SOURCE: "broker" }, "GHAUTH_BROKER_URL is not set"],
  [{ GITHUB_TOKEN_SOURCE: "broker", GHAUTH_BROKER_URL: "http://b" }, "GHAUTH_BROKER_TOKEN_FILE is not set"],
  [{ GITHUB_TOKEN_SOURCE: "command" }, "GITHUB_TOKEN_COMMAND is not set"],
  [
    { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "a 'b" },
    "has a quotation mark that is not closed",
  ],
  [
    { GITHUB_TOKEN_SOURCE: "command", GITHUB_TOKEN_COMMAND: "  " },
    "GITHUB_TOKEN_COMMAND must name a program",
  ],
  [{ GH_AUTH: "yes" }, 'GH_AUTH must be auto or off, not "yes"'],
  [
    { GHAUTH_REFRESH_DEADLINE_SECONDS: "soon" },
    "GHAUTH_REFRESH_DEADLINE_SECONDS must be a number of seconds",
  ],
  [{ GHAUTH_REFRESH_DEADLINE_SECONDS: "-1" }, "GHAUTH_REFRESH_DEADLINE_SECONDS must be a number of seconds"],
] as const)("%j is refused with a sentence that names the variable", ([settings, sentence]) => {
  expect(() => parse(settings)).toThrow(sentence);
});

test("a github-app.env that cannot be read is told, not passed over", () => {
  const directory = makeDirectory();
  mkdirSync(join(directory, "takopi/github-app.env"), { recursive: true });
  const paths = resolvePaths({ XDG_CONFIG_HOME: directory, HOME: home });

  expect(() => readRefreshSettings({}, paths)).toThrow(
    /github-app\.env cannot be read: it is not a regular file/,
  );
});
