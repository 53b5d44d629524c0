import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bearerOf, type Broker, createKeyHost, type KeyHost, world } from "../support/broker.js";
import { answerOf, ask, createGitHost } from "../support/git-host.js";

/** A host without a key that gets its tokens from this broker, as a client who works on the site. */
async function createAgentHost(host: KeyHost, broker: Pick<Broker, "url">) {
  const agent = await createGitHost(world);
  rmSync(agent.paths.privateKey);
  const bearerFile = join(agent.root, "bearer");
  agent.write(bearerFile, `${bearerOf("agent")}\n`);
  agent.write(
    agent.paths.appEnvFile,
    [
      "GITHUB_TOKEN_SOURCE=broker",
      `GHAUTH_BROKER_URL=${broker.url}`,
      `GHAUTH_BROKER_TOKEN_FILE=${bearerFile}`,
      "GHAUTH_BROKER_WORKSPACE=blue",
      `GITHUB_API_URL=${host.baseUrl}`,
      "GH_AUTH=off",
      "",
    ].join("\n"),
  );
  return agent;
}

async function createKeyHostWithBroker() {
  const host = await createKeyHost(world);
  host.letIn({ agent: 'workspaces = ["blue"]\nrepositories = ["acme/site"]' });
  return Object.assign(host, { broker: await host.startBroker() });
}

test("an agent host without a key gets its token from the broker: refresh script and git helper", async () => {
  await using host = await createKeyHostWithBroker();
  await using agent = await createAgentHost(host, host.broker);

  const { exitCode, stderr } = await agent.refresh();
  const helped = await agent.helper(["get"], { input: `${ask()}\n` });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const token = agent.heldToken();
  expect(host.github.liveTokens).toEqual([token]);
  const epoch = Number(/EXPIRES_EPOCH=(\d+)/.exec(agent.read(agent.paths.tokenEnvFile))?.[1]);
  expect(helped.stdout).toBe(answerOf(token, epoch));
  expect(await host.broker.tokenLine()).toMatchObject({ client: "agent", route: "workspace", from: "mint" });
});

test("a token that was revoked is replaced when git's helper asks again", async () => {
  await using host = await createKeyHostWithBroker();
  await using agent = await createAgentHost(host, host.broker);
  await agent.refresh();
  const dead = agent.heldToken();
  host.github.revoke(dead);

  // What git does after a 401, and at the next command.
  await agent.helper(["erase"], { input: `${ask("github.com", `password=${dead}`)}\n` });
  const helped = await agent.helper(["get"], { input: `${ask()}\n` });

  const [token = ""] = host.github.liveTokens;
  expect(helped.stdout).toContain(`password=${token}\n`);
  expect(agent.heldToken()).toBe(token);
  expect(host.github.mints).toBe(2);
});

test("an agent host gets no more than its settings name, and is told what the broker refuses", async () => {
  await using host = await createKeyHost(world);
  host.letIn({
    agent: 'workspaces = ["blue"]\nrepositories = ["acme/*"]\npermissions = { contents = "write" }',
  });
  const broker = await host.startBroker();
  await using agent = await createAgentHost(host, broker);

  const env = { GITHUB_APP_REPOSITORIES: "acme/tools", GITHUB_APP_PERMISSIONS: "contents:read" };
  expect(await agent.refresh({ env })).toMatchObject({ exitCode: 0 });
  const mint = host.github.requests.find(({ path }) => path.endsWith("/access_tokens"));
  expect(JSON.parse(mint?.body ?? "")).toEqual({
    repositories: ["tools"],
    permissions: { contents: "read" },
  });

  const more = await agent.refresh({ env: { ...env, GITHUB_APP_PERMISSIONS: "issues:write" } });
  expect(more.exitCode).toBe(78);
  expect(more.stderr).toMatch(
    /does not allow this host that token: .*\(The policy of this client does not allow issues:write\.\)/,
  );
});

test("flow tells of the broker, and of no private key", async () => {
  await using host = await createKeyHost(world);
  await using agent = await createAgentHost(host, { url: "https://broker.example.com/tokens" });

  const { stdout } = await agent.ghauth(["flow"]);

  expect(stdout).toContain(
    "1. token broker: broker.example.com, which holds the App's private key: this host has none\n",
  );
  expect(stdout).toMatch(/2\. refresh script: \S+ asks it for an installation token/);
});
