import { join } from "node:path";
import { expect, test } from "vitest";
import { createKeyHost } from "../support/broker.js";

const consoleOnly = 'transport = "console"\n';

test("host, broker and sidecar take LOG_LEVEL in any case, refuse the same, and log in one form", async () => {
  await using host = await createKeyHost();
  host.letIn({ ops: "admin = true" });
  host.write(join(host.home, ".takopi/takopi.toml"), consoleOnly);
  const start = async (verb: string[], level: string) => host.ghauth(verb, { env: { LOG_LEVEL: level } });
  const sidecar = ["sidecar", "--once", "--allow-disk", "--token-file", join(host.root, "token")];

  for (const verb of [["run"], ["broker", "--listen", "127.0.0.1:0"], sidecar]) {
    expect(await start(verb, "loud")).toMatchObject({
      exitCode: 78,
      stdout: "",
      stderr: expect.stringContaining('LOG_LEVEL is "loud": set it to one of debug, info, warn, error.'),
    });
  }

  await using broker = await host.startBroker([], { LOG_LEVEL: "INFO" });
  const said = [
    (await start(["run"], "INFO")).stderr,
    broker.output(),
    (await start(sidecar, "INFO")).stdout,
  ];
  for (const output of said) {
    const [line = ""] = output.split("\n");
    expect(line).toMatch(
      /^\{"level":"(?:info|warn|error)","time":"\d{4}-\d\d-\d\dT[\d:.]+Z","event":"[a-z]+\.[a-z_]+"[,}]/,
    );
  }
});
