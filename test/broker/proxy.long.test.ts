import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type TestContext } from "vitest";
import { bearerOf, type Broker, createKeyHost, type KeyHost } from "../support/broker.js";
import { createCertificate } from "../support/certificate.js";
import { findFreePort } from "../support/free-port.js";
import { createMachine } from "../support/machine.js";
import { needs } from "../support/needs.js";
import { startProgram } from "../support/live-program.js";

const readme = readFileSync(join(import.meta.dirname, "../../README.md"), "utf8");

/** README's server block in front of a broker: the addresses and the certificate are the test's. */
async function startNginx(host: KeyHost, broker: Broker) {
  const [, block = ""] = /^```nginx\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  const { caFile, certFile, keyFile } = createCertificate(host.root);
  const port = await findFreePort();
  const server = [
    ["listen 443 ssl", `listen 127.0.0.1:${port} ssl`],
    ["server_name broker.example.com", "server_name localhost"],
    ["/etc/ssl/broker.pem", certFile],
    ["/etc/ssl/private/broker.key", keyFile],
    ["http://127.0.0.1:8787", broker.url],
  ].reduce((text, [from = "", to = ""]) => {
    expect(text).toContain(from);
    return text.replace(from, to);
  }, block);
  const directory = join(host.root, "nginx");
  mkdirSync(directory);
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
  host.write(
    join(directory, "nginx.conf"),
    `daemon off; pid nginx.pid; error_log stderr notice; user root;
     events {}
     http {
       access_log access.log;
       ${temporary.map((name) => `${name}_temp_path ${name};`).join(" ")}
       ${server}
     }`,
  );
  const program = startProgram(["nginx", "-p", directory, "-c", join(directory, "nginx.conf")], {
    env: host.env,
    cwd: directory,
  });
  await program.saw("start worker process ");
  return Object.assign(program, {
    url: `https://localhost:${port}`,
    caFile,
    accessLog: join(directory, "access.log"),
  });
}

test("behind README's nginx, agents get tokens over TLS, and refusals as the broker words them", async (context: TestContext) => {
  needs(context, "nginx", "openssl", "curl");
  await using host = await createKeyHost();
  host.letIn({ agent: 'workspaces = ["blue"]\nrepositories = ["acme/site"]' });
  const broker = await host.startBroker();
  await using nginx = await startNginx(host, broker);
  await using agent = await createMachine();
  rmSync(agent.paths.privateKey);
  agent.write(join(agent.root, "bearer"), `${bearerOf("agent")}\n`, 0o600);
  agent.write(
    agent.paths.appEnvFile,
    [
      "GITHUB_TOKEN_SOURCE=broker",
      `GHAUTH_BROKER_URL=${nginx.url}`,
      `GHAUTH_BROKER_TOKEN_FILE=${join(agent.root, "bearer")}`,
      "GHAUTH_BROKER_WORKSPACE=blue",
      `GITHUB_API_URL=${host.baseUrl}`,
      `NODE_EXTRA_CA_CERTS=${nginx.caFile}`,
      "GH_AUTH=off",
      "",
    ].join("\n"),
  );
  const ask = async (path: string, ...words: string[]) =>
    agent.run(["curl", "-sS", "-w", " %{http_code}", "--cacert", nginx.caFile, ...words, nginx.url + path]);

  expect(await agent.refresh()).toMatchObject({ exitCode: 0, stderr: "" });
  expect(host.github.liveTokens).toEqual([agent.heldToken()]);

  expect(await ask("/api/acme/site")).toMatchObject({ stdout: '{"error":"unknown bearer token"} 401' });
  expect(await ask("/readyz")).toMatchObject({ stdout: '{"status":"ready"} 200' });
  expect(await ask("/metrics")).toMatchObject({ stdout: expect.stringMatching(/403 Forbidden[^]* 403$/) });

  await broker.stop();
  const held = agent.heldToken();
  const env = { GHAUTH_REFRESH_DEADLINE_SECONDS: "5" };
  expect(await agent.refresh({ env })).toMatchObject({
    exitCode: 75,
    stderr: expect.stringContaining("502"),
  });
  expect(agent.heldToken()).toBe(held);
  const written = nginx.output() + readFileSync(nginx.accessLog, "utf8");
  for (const secret of [bearerOf("agent"), held]) expect(written).not.toContain(secret);
});
