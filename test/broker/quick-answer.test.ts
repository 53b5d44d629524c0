import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import type { Client } from "../../src/broker/clients.js";
import { type HeldToken, holdToken } from "../../src/broker/held-token.js";
import { createMetrics } from "../../src/broker/metrics.js";
import { createQuickAnswer } from "../../src/broker/quick-answer.js";
import { createLog } from "../../src/log/log.js";
import { systemClock } from "../../src/system/clock.js";
import { Secret } from "../../src/token/secret.js";

const client: Client = { name: "ops", repositories: null, permissions: null, workspaces: [], admin: true };

function tokenOf(name: string): HeldToken {
  const now = systemClock.now();
  return holdToken(
    { secret: new Secret(`ghs_${name}`), expiresAt: new Date(now.getTime() + 3_600_000) },
    now,
  );
}

test("what is prepared for a URL ends with its token and with the client's policy", async () => {
  let asking = client;
  let held: HeldToken | null = null;
  const answerAtOnce = createQuickAnswer({
    clock: systemClock,
    metrics: createMetrics(),
    log: createLog({ level: "error", write: () => {} }),
    authenticate: () => asking,
    app: { owner: null, repositories: [], permissions: {} },
    storeState: () => null,
    tokens: {
      peek: () => held && { token: held, from: "cache" },
      get: async () => Promise.reject(new Error("nobody waits here")),
      live: () => [],
      check: async () => {},
    },
  });
  const server = createServer((request, response) => {
    if (!answerAtOnce(request, response)) response.end("the routes");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : null;
  const ask = async () =>
    (await fetch(`http://127.0.0.1:${port}/admin/github-installation-token?min_ttl=60`)).text();
  try {
    expect(await ask()).toBe("the routes");
    for (const name of ["first_token", "second_token"]) {
      held = tokenOf(name);
      for (let n = 0; n < 2; n++) expect(JSON.parse(await ask())).toMatchObject({ token: `ghs_${name}` });
    }
    held = null;
    expect(await ask()).toBe("the routes");
    held = tokenOf("third_token");
    asking = { ...client, admin: false };
    expect(await ask()).toBe("the routes");
    asking = client;
    expect(JSON.parse(await ask())).toMatchObject({ token: "ghs_third_token" });
  } finally {
    server.close();
  }
});
