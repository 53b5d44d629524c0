import { expect, test } from "vitest";
import { parsePermissions, parseRepositories } from "../../src/github/scope.js";
import { refreshInProcess } from "../support/in-process.js";
import { createMachine, installation } from "../support/machine.js";

const repositories = (text: string) => parseRepositories(text, "GITHUB_APP_REPOSITORIES");
const permissions = (text: string) => parsePermissions(text, "GITHUB_APP_PERMISSIONS");

test.for([
  "acme/site",
  "https://github.com/acme/site",
  "https://github.com/acme/site.git",
  "https://github.com/acme/site/",
  "https://x-access-token:secret@github.com/acme/site.git",
  "https://ghe.example.com:8443/acme/site.git",
  "ssh://git@github.com/acme/site.git",
  "ssh://git@ssh.github.com:443/acme/site",
  "git@github.com:acme/site.git",
  "git@github.com:acme/site",
  "git@github.com:/acme/site.git",
  "git://github.com/acme/site.git",
])("%s is the repository site of acme", (text) => {
  expect(repositories(text)).toEqual({ owner: "acme", repositories: ["site"] });
});

test.for([
  ["site", null, ["site"]],
  ["", null, []],
  ["acme/site, acme/tools\n acme/site", "acme", ["site", "tools"]],
  ["acme/site tools ACME/Site", "acme", ["site", "tools"]],
  ["short_acme/.github", "short_acme", [".github"]],
] as const)("%j names repositories %j %j", ([text, owner, names]) => {
  expect(repositories(text)).toEqual({ owner, repositories: names });
});

test("repositories of several owners are an error that names the owners", () => {
  expect(() => repositories("acme/site other/tools")).toThrow(
    "GITHUB_APP_REPOSITORIES names repositories of several owners (acme, other), and an installation token reaches one owner's only",
  );
});

test.for([
  "https://github.com/acme",
  "https://github.com/acme/site/tree/main",
  "acme/site/docs",
  "acme/",
  "/",
  "..",
  "acme/..",
  ".git",
  "acme/si$te",
])("%s is no repository, and the error quotes it", (text) => {
  expect(() => repositories(text)).toThrow(`${JSON.stringify(text)} is no repository; write owner/repo`);
});

test("a password in a clone URL is not quoted", () => {
  expect(() => repositories("https://me:hunter2@github.com/acme")).toThrow('"https://github.com/acme" is no');
});

test("more than 500 repositories are refused before GitHub is asked", () => {
  const names = Array.from({ length: 501 }, (_, index) => `repository-${index}`).join(" ");
  expect(() => repositories(names)).toThrow("names 501 repositories, and GitHub scopes a token to 500");
});

test("permissions are names with a level, separated by commas or spaces", () => {
  expect(permissions("contents:read, issues:write pull_requests=read")).toEqual({
    contents: "read",
    issues: "write",
    pull_requests: "read",
  });
  expect(permissions("")).toEqual({});
});

test.for([
  ["pull-requests:write", "GitHub spells pull-requests with underscores: write pull_requests:write."],
  ["contents", '"contents" is no permission; write name:read'],
  ["contents:all", '"contents:all" is no permission'],
  ["__proto__:read", '"__proto__:read" is no permission'],
  ["contents:read contents:write", "names contents twice, as read and write: keep one."],
] as const)("the permission %s is refused", ([text, sentence]) => {
  expect(() => permissions(text)).toThrow(sentence);
});

test("the scope is what GitHub is asked for", async () => {
  await using machine = await createMachine();
  const env = {
    GITHUB_APP_REPOSITORIES: "https://github.com/acme/site.git",
    GITHUB_APP_PERMISSIONS: "contents:read",
  };

  expect(await refreshInProcess(machine, { env })).toMatchObject({ ok: true });
  expect(JSON.parse(machine.github.requests[0]?.body ?? "")).toEqual({
    repositories: ["site"],
    permissions: { contents: "read" },
  });
});

test("the installation is looked up when only repositories are given", async () => {
  await using machine = await createMachine();
  const env = { GITHUB_APP_REPOSITORIES: "acme/site" };
  machine.write(
    machine.paths.appEnvFile,
    machine.read(machine.paths.appEnvFile).replace(/^GITHUB_APP_INSTALLATION_ID=.*\n/m, ""),
  );

  expect(await refreshInProcess(machine, { env })).toMatchObject({ ok: true });
  expect(machine.github.requests.map(({ path }) => path)).toEqual([
    "/repos/acme/site/installation",
    `/app/installations/${installation.id}/access_tokens`,
    "/rate_limit",
  ]);

  const unselected = await refreshInProcess(machine, { env: { GITHUB_APP_REPOSITORIES: "acme/secret" } });
  expect(unselected).toMatchObject({ code: "repository_inaccessible", exit: 78 });
  const uninstalled = await refreshInProcess(machine, { env: { GITHUB_APP_REPOSITORIES: "nobody/site" } });
  expect(uninstalled).toMatchObject({
    code: "installation_not_found",
    exit: 78,
    sentence: expect.stringContaining("is not installed on nobody/site: install it there"),
  });
  const nameless = await refreshInProcess(machine, { env: { GITHUB_APP_REPOSITORIES: "site" } });
  expect(nameless).toMatchObject({
    code: "config_invalid",
    sentence: expect.stringContaining("GITHUB_APP_REPOSITORIES must name owner/repo"),
  });
});

test("a lookup that meets an outage is an outage, not a missing installation", async () => {
  await using machine = await createMachine();
  machine.write(
    machine.paths.appEnvFile,
    machine.read(machine.paths.appEnvFile).replace(/^GITHUB_APP_INSTALLATION_ID=.*\n/m, ""),
  );
  machine.github.refuse("html_502", { path: "/users/nobody/installation", times: Infinity });

  expect(await refreshInProcess(machine, { env: { GITHUB_APP_REPOSITORIES: "nobody/site" } })).toMatchObject({
    code: "github_unavailable",
    exit: 75,
  });
});
