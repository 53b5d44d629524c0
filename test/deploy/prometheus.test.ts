import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test, type TestContext } from "vitest";
import { parse } from "yaml";
import { createMetrics } from "../../src/broker/metrics.js";
import { readRefreshLog } from "../../src/token/refresh-log.js";
import { createMachine, type Machine } from "../support/machine.js";
import { needs } from "../support/needs.js";

const checkout = join(import.meta.dirname, "../..");
const rulesFile = join(checkout, "deploy/prometheus/rules.yaml");
const ruleTests = join(import.meta.dirname, "rules-test.yaml");
const readme = readFileSync(join(checkout, "README.md"), "utf8");

type Rule = { alert: string; expr: string };
const rules: Rule[] = parse(readFileSync(rulesFile, "utf8")).groups.flatMap(
  (group: { rules: Rule[] }) => group.rules,
);

function promtool(context: TestContext, words: string[], input = ""): string {
  needs(context, "promtool");
  const { status, stdout, stderr } = spawnSync("promtool", words, { input, encoding: "utf8" });
  expect({ words, status, stderr }).toEqual({ words, status: 0, stderr: "" });
  return stdout;
}

const metricsOf = async (machine: Machine): Promise<string> => {
  const { exitCode, stdout, stderr } = await machine.ghauth(["status", "--prometheus"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  return stdout;
};

const namesIn = (text: string) => [...text.matchAll(/^# TYPE (\w+)/gm)].map(([, name = ""]) => name);
const valueOf = (text: string, sample: string): number | null => {
  const line = text.split("\n").find((each) => each.startsWith(`${sample} `));
  return line === undefined ? null : Number(line.slice(sample.length + 1));
};

test("metrics are what promtool takes, and tell of the token and the log", async (context) => {
  await using machine = await createMachine();

  const before = await metricsOf(machine);
  expect(promtool(context, ["check", "metrics"], before)).toBe("");
  expect(valueOf(before, 'ghauth_token_state{state="missing"}')).toBe(1);
  expect(valueOf(before, "ghauth_refresh_failures_total")).toBe(0);
  expect(before).not.toMatch(/expires|last_/);

  await machine.refresh();
  await machine.refresh({ args: ["--force"], env: { GITHUB_APP_ID: "42" } });
  const after = await metricsOf(machine);
  expect(promtool(context, ["check", "metrics"], after)).toBe("");
  const epoch = Number(/EXPIRES_EPOCH=(\d+)/.exec(machine.read(machine.paths.tokenEnvFile))?.[1]);
  expect(valueOf(after, "ghauth_token_expires_timestamp_seconds")).toBe(epoch);
  expect(valueOf(after, 'ghauth_token_state{state="missing"}')).toBe(0);
  expect(valueOf(after, 'ghauth_token_state{state="fresh"}')).toBe(1);
  expect(valueOf(after, "ghauth_last_refresh_success")).toBe(0);
  expect(valueOf(after, "ghauth_refresh_failures_total")).toBe(1);
  expect(valueOf(after, "ghauth_refreshes_total")).toBe(2);
  const [first, second] = readRefreshLog(machine.paths.refreshLog);
  expect(valueOf(after, "ghauth_last_successful_refresh_timestamp_seconds")).toBe(
    Date.parse(first?.at ?? "") / 1000,
  );
  expect(valueOf(after, "ghauth_last_refresh_timestamp_seconds")).toBe(Date.parse(second?.at ?? "") / 1000);
  expect(valueOf(after, "ghauth_last_refresh_duration_seconds")).toBe((second?.ms ?? 0) / 1000);
});

test("a log that cannot be read is told, and nothing is printed that could be taken for metrics", async () => {
  await using machine = await createMachine();
  await machine.run(["mkdir", "-p", machine.paths.refreshLog]);
  const { exitCode, stdout, stderr } = await machine.ghauth(["status", "--prometheus"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: "" });
  expect(stderr).toMatch(/The refresh log .* cannot be read: it is not a regular file/);
});

test("two forms at once are refused", async () => {
  await using machine = await createMachine();
  const { exitCode, stdout, stderr } = await machine.ghauth(["status", "--prometheus", "--json"]);
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
  expect(stderr).toContain("ask for one");
});

test("the alert rules are what promtool takes, and fire when they should", (context) => {
  promtool(context, ["check", "rules", rulesFile]);
  expect(promtool(context, ["test", "rules", ruleTests])).toContain("SUCCESS");
});

test("each alert is tested: that it fires, and that it is silent", () => {
  type Case = { alertname: string; exp_alerts: unknown[] };
  const cases: Case[] = parse(readFileSync(ruleTests, "utf8")).tests.flatMap(
    (each: { alert_rule_test: Case[] }) => each.alert_rule_test,
  );
  const named = (fires: boolean) =>
    new Set(
      cases.filter(({ exp_alerts }) => exp_alerts.length > 0 === fires).map(({ alertname }) => alertname),
    );
  const alerts = new Set(rules.map(({ alert }) => alert));
  expect(named(true)).toEqual(alerts);
  expect(named(false)).toEqual(alerts);
});

test("every metric that a rule uses, or README names, is printed, and README names all of status's", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const ofStatus = namesIn(await metricsOf(machine));
  const broker = createMetrics();
  const ofBroker = namesIn(await broker.render([], new Date()));

  const used = new Set(rules.flatMap(({ expr }) => expr.match(/\bghauth_\w+/g) ?? []));
  expect(used.size).toBeGreaterThan(5);
  const printed = new Set([
    ...ofStatus,
    ...ofBroker.flatMap((name) => [name, `${name}_bucket`, `${name}_count`]),
  ]);
  expect([...used].filter((name) => !printed.has(name))).toEqual([]);

  const named = new Set(readme.match(/\bghauth_\w+_(?:seconds|total|success|state)\b/g));
  expect([...named].sort()).toEqual([...ofStatus].sort());
});

test("README's line for cron leaves metrics for the textfile collector, and the last ones where it fails", async (context) => {
  await using machine = await createMachine();
  await machine.refresh();
  const [, line = ""] = /^\* \* \* \* \* root (.*)$/m.exec(readme) ?? [];
  const directory = join(machine.root, "node-exporter");
  const home = machine.home.replaceAll(" ", "\\ ");
  machine.write(join(directory, "other.prom"), "");
  const command = line
    .replace("/var/lib/prometheus/node-exporter", directory)
    // Another user's login shell begins in that user's home.
    .replace("runuser -l takopi", `env -C ${home} sh`);
  const link = join(machine.home, ".local/bin/ghauth");
  machine.write(link, `#!/bin/sh\nexec ${process.execPath} ${join(checkout, "dist/main.js")} "$@"\n`, 0o755);

  expect(await machine.run(["sh", "-c", command])).toMatchObject({ exitCode: 0, stdout: "", stderr: "" });
  const metrics = machine.read(join(directory, "ghauth.prom"));
  expect(promtool(context, ["check", "metrics"], metrics)).toBe("");
  expect(namesIn(metrics)).toContain("ghauth_token_expires_timestamp_seconds");

  machine.write(link, "#!/bin/sh\nexit 78\n", 0o755);
  expect(await machine.run(["sh", "-c", command])).toMatchObject({ exitCode: 78 });
  expect(machine.read(join(directory, "ghauth.prom"))).toBe(metrics);
});
