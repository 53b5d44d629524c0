import { describe, expect, test } from "vitest";
import { createKeyHost, type KeyHost } from "../support/broker.js";

const admin = "/admin/github-installation-token";
const workspace = "/workspaces/blue/github-installation-token";

/** What GitHub was asked to mint, newest last. */
const mintsAsked = ({ github }: KeyHost) =>
  github.requests
    .filter(({ method, status }) => method === "POST" && status === 201)
    .map(({ path, body }) => `${path.split("/")[3]} ${body}`);

describe("what a client gets without asking for anything in particular", () => {
  test.each([
    ["an admin", "admin = true", {}, "987654 {}"],
    [
      "an admin where the settings name repositories and permissions",
      "admin = true",
      { GITHUB_APP_REPOSITORIES: "acme/tools", GITHUB_APP_PERMISSIONS: "contents:read" },
      '987654 {"repositories":["tools"],"permissions":{"contents":"read"}}',
    ],
    [
      "a policy of names",
      'admin = true\nrepositories = ["acme/site", "acme/tools"]\npermissions = { issues = "write" }',
      {},
      '987654 {"repositories":["site","tools"],"permissions":{"issues":"write"}}',
    ],
    ["a policy of an owner", 'admin = true\nrepositories = ["acme/site", "ACME/*"]', {}, "987654 {}"],
    ["another owner's", 'admin = true\nrepositories = ["umbrella/*"]', {}, "55555 {}"],
  ])("%s", async (_, policy, settings, minted) => {
    await using host = await createKeyHost();
    host.set(settings);
    host.letIn({ ops: policy });
    const broker = await host.startBroker();

    await broker.token(admin, "ops");

    expect(mintsAsked(host)).toEqual([minted]);
  });
});

test("asking for less than the policy allows gets exactly that, in any order and case one token", async () => {
  await using host = await createKeyHost();
  host.letIn({
    ops: 'admin = true\nrepositories = ["acme/*"]\npermissions = { contents = "write", issues = "read" }',
  });
  const broker = await host.startBroker();

  const one = await broker.token(
    `${admin}?repositories=acme/tools,acme/site&permissions=contents:read,issues:read`,
    "ops",
  );
  const same = await broker.token(
    `${admin}?permissions=issues:read,contents:read&repositories=acme/Site,Acme/tools`,
    "ops",
  );

  expect(same).toBe(one);
  expect(mintsAsked(host)).toEqual([
    '987654 {"repositories":["tools","site"],"permissions":{"contents":"read","issues":"read"}}',
  ]);
});

const denied: [what: string, policy: string, path: string][] = [
  ["a route that is not the client's", "admin = false", admin],
  ["a workspace that is not the client's", 'workspaces = ["green"]\nrepositories = ["acme/*"]', workspace],
  ["a policy without repositories", 'workspaces = ["blue"]', workspace],
  ["an admin's policy of no repositories", "admin = true\nrepositories = []", admin],
  [
    "a repository outside",
    'admin = true\nrepositories = ["acme/site"]',
    `${admin}?repositories=acme/site,acme/tools`,
  ],
  ["a repository outside, on tokman's route", 'repositories = ["acme/site"]', "/api/acme/tools"],
  ["an owner whose name begins alike", 'repositories = ["acme/*"]', "/api/acme2/site"],
  [
    "a level above",
    'repositories = ["acme/*"]\npermissions = { contents = "read" }',
    "/api/acme/site?permissions=contents:write",
  ],
  [
    "another permission",
    'repositories = ["acme/*"]\npermissions = { contents = "read" }',
    "/api/acme/site?permissions=issues:read",
  ],
  [
    "JavaScript's own names",
    'repositories = ["acme/*"]\npermissions = { contents = "read" }',
    "/api/acme/site?permissions=constructor:read",
  ],
  ["another installation than an admin's", "admin = true", `${admin}?repositories=umbrella/lab`],
  ["another installation than an admin's, on tokman's route", "admin = true", "/api/umbrella/lab"],
];

test.each(["installation ID", "no installation ID"])(
  "more than a policy allows is 403, and nothing is minted: with %s",
  async (kind) => {
    await using host = await createKeyHost();
    if (kind === "no installation ID")
      host.set({ GITHUB_APP_INSTALLATION_ID: undefined, GITHUB_APP_REPOSITORIES: "acme/site" });
    host.letIn(Object.fromEntries(denied.map(([, policy], n) => [`client-${n}`, policy])));
    const broker = await host.startBroker();

    for (const [n, [what, , path]] of denied.entries()) {
      const { status, json } = await broker.call(path, { as: `client-${n}` });
      expect({ what, status, json }).toEqual({ what, status: 403, json: { error: expect.any(String) } });
    }
    expect(host.github.mints).toBe(0);
  },
);

test("GITHUB_APP_PERMISSIONS is the most that a client without permissions of its own gets", async () => {
  await using host = await createKeyHost();
  host.set({ GITHUB_APP_PERMISSIONS: "contents:read" });
  host.letIn({ ops: "admin = true" });
  const broker = await host.startBroker();

  expect(await broker.call(`${admin}?permissions=contents:write`, { as: "ops" })).toMatchObject({
    status: 403,
  });
  expect(await broker.call(`${admin}?permissions=contents:read`, { as: "ops" })).toMatchObject({
    status: 200,
  });
});

test("a policy of several owners is asked for by name, each from its own installation", async () => {
  await using host = await createKeyHost();
  host.set({ GITHUB_APP_INSTALLATION_ID: undefined });
  host.letIn({ ops: 'admin = true\nrepositories = ["acme/*", "umbrella/*"]' });
  const broker = await host.startBroker();

  expect(await broker.call(admin, { as: "ops" })).toMatchObject({ status: 400 });
  await broker.token(`${admin}?repositories=acme/site`, "ops");
  await broker.token("/api/umbrella/lab", "ops");

  expect(mintsAsked(host)).toEqual(['987654 {"repositories":["site"]}', '55555 {"repositories":["lab"]}']);
});

test("a token from a command can't be narrowed: whole for an admin, 403 for less", async () => {
  await using host = await createKeyHost();
  await host.refresh();
  host.set({
    GITHUB_TOKEN_SOURCE: "command",
    GITHUB_TOKEN_COMMAND: `sed -n 's/^GITHUB_TOKEN=//p' '${host.paths.tokenEnvFile}'`,
    GITHUB_APP_ID: undefined,
  });
  host.letIn({ ops: "admin = true", agent: 'workspaces = ["blue"]\nrepositories = ["acme/*"]' });
  const broker = await host.startBroker();

  expect(await broker.call(admin, { as: "ops" })).toMatchObject({
    status: 200,
    json: { token: host.heldToken(), expires_at: null },
  });
  for (const [path, as] of [
    [`${admin}?repositories=acme/site`, "ops"],
    [`${admin}?permissions=contents:read`, "ops"],
    ["/api/acme/site", "ops"],
    [workspace, "agent"],
  ] as const)
    expect(await broker.call(path, { as })).toMatchObject({ status: 403 });
});

test("an installation that moved is looked up again", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: 'repositories = ["acme/*"]' });
  const broker = await host.startBroker();
  await broker.token("/api/acme/site", "ops");
  host.github.refuse("not_found");

  await broker.token("/api/acme/site?permissions=contents:read", "ops");

  const lookUps = host.github.requests.filter(({ path }) => path === "/repos/acme/site/installation");
  expect(lookUps).toHaveLength(2);
});
