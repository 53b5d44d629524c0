import { rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bearerOf, createKeyHost, world } from "../support/broker.js";
import { answerOf, ask, createGitHost } from "../support/git-host.js";

test("an agent host without a key gets its token from the broker: refresh script and git helper", async () => {
  await using host = await createKeyHost(world);
  host.letIn({ agent: 'workspaces = ["blue"]\nrepositories = ["acme/site"]' });
  const broker = await host.startBroker();
  await using agent = await createGitHost(world);
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

  const { exitCode, stderr } = await agent.refresh();
  const helped = await agent.helper(["get"], { input: `${ask()}\n` });

  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const token = agent.heldToken();
  expect(host.github.liveTokens).toEqual([token]);
  const epoch = Number(/EXPIRES_EPOCH=(\d+)/.exec(agent.read(agent.paths.tokenEnvFile))?.[1]);
  expect(helped.stdout).toBe(answerOf(token, epoch));
  expect(await broker.tokenLine()).toMatchObject({ client: "agent", route: "workspace", from: "mint" });
});
