import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { describeStatus } from "../../src/ghauth/status-page.js";
import { renderPage } from "../../src/ghauth/page.js";
import { parseTimer } from "../../src/system/systemd-timer.js";
import { renderMessage } from "../../src/transports/discord/message.js";
import { createMachine, type Machine } from "../support/machine.js";

const statusOf = async (machine: Machine, env: Record<string, string> = {}) => {
  const [text, json] = await Promise.all([
    machine.ghauth(["status"], { env }),
    machine.ghauth(["status", "--json"], { env }),
  ]);
  const { problems, gh } = JSON.parse(json.stdout);
  for (const problem of problems) expect(text.stdout).toContain(`- ${problem}\n`);
  return { problems, gh, text: text.stdout };
};

describe.concurrent("who gh says that it is", () => {
  test.each([
    ["its App's bot", "    user: example-app[bot]\n", "logged in as example-app[bot]", "example-app[bot]"],
    ["nobody", "", "logged in with a token without a name (GitHub App)", null],
    ["an empty name", '    user: ""\n', "logged in with a token without a name (GitHub App)", null],
    [
      "the name that gh gives those without",
      "    user: x-access-token\n",
      "logged in with a token without a name (GitHub App)",
      "x-access-token",
    ],
  ])("%s", async (_who, line, said, login) => {
    await using machine = await createMachine();
    const hosts = `github.com:\n    git_protocol: https\n    oauth_token: x\n${line}`;
    machine.write(join(machine.home, ".config/gh/hosts.yml"), hosts);
    const { text, gh } = await statusOf(machine);
    expect(text).toContain(`gh: ${said}\n`);
    expect(gh).toEqual({ login });
  });
});

describe.concurrent("what stands in the refreshed token's way is a problem", () => {
  test("a token in the environment, which is not shown", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const planted = `ghs_${"Planted9".repeat(5)}`;
    const sentence = (name: string) =>
      `${name} is set in the environment: gh uses it instead of the refreshed token, also once it has expired. Unset it.`;
    const both = await statusOf(machine, { GH_TOKEN: planted, GITHUB_TOKEN: planted });
    expect(both.problems).toEqual([sentence("GH_TOKEN"), sentence("GITHUB_TOKEN")]);
    expect(both.text).toMatch(/^GitHub token: fresh\n/);
    expect(both.text).not.toContain("Planted9");
    expect((await statusOf(machine, { GH_TOKEN: "", GITHUB_TOKEN: "" })).problems).toEqual([]);
  });

  test("a TOKEN_ENV_FILE other than token_env_file, in the environment or the refresh script's settings", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const settings = machine.read(machine.paths.appEnvFile);
    const same = await statusOf(machine, { TOKEN_ENV_FILE: machine.paths.tokenEnvFile });
    expect(same.problems).toEqual([]);

    machine.write(machine.paths.appEnvFile, `${settings}TOKEN_ENV_FILE=~/elsewhere.env\n`);
    const other = await statusOf(machine, { TOKEN_ENV_FILE: "/run/token.env" });
    expect(other.problems).toEqual([
      "TOKEN_ENV_FILE in the environment is /run/token.env, but token_env_file is ~/.config/takopi/github-token.env: the timer writes one file, and /ghauth refresh the other. Name the same file in both.",
      "TOKEN_ENV_FILE in ~/.config/takopi/github-app.env is ~/elsewhere.env, but token_env_file is ~/.config/takopi/github-token.env: the timer writes one file, and /ghauth refresh the other. Name the same file in both.",
    ]);

    machine.write(machine.paths.takopiConfig, '[plugins.ghauth]\ntoken_env_file = "~/elsewhere.env"\n');
    expect((await statusOf(machine)).problems).toEqual([
      expect.stringContaining("There is no token in ~/elsewhere.env"),
    ]);
  });

  test("settings that are not ours to read are none", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    machine.write(machine.paths.appEnvFile, "TOKEN_ENV_FILE=/elsewhere.env\n", 0o602);
    expect((await statusOf(machine)).problems).toEqual([]);
  });
});

test("where a chat shows instants by itself, it is told no words for them twice", () => {
  const timer = parseTimer(
    [
      "Id=takopi-github-token-refresh.timer",
      "LoadState=loaded",
      "ActiveState=active",
      "UnitFileState=enabled",
      "NextElapseUSecRealtime=Sun 2026-11-22 00:31:11 UTC",
      "LastTriggerUSec=Sat 2026-11-21 23:46:11 UTC",
      "",
      "Id=takopi-github-token-refresh.service",
      "ExecMainStartTimestamp=Sat 2026-11-21 23:46:11 UTC",
      "Result=success",
    ].join("\n"),
    null,
  );
  const status = {
    state: "missing",
    token: null,
    refreshed_at: null,
    age_seconds: null,
    expires_at: null,
    expires_in_seconds: null,
    timer: null,
    last_refresh: null,
    gh: null,
    problems: [],
  } as const;
  const now = new Date("2026-11-22T00:00:00Z");
  const problems = ["The last refresh failed: [look](https://example.com) *here*."];
  const reply = renderPage(describeStatus({ ...status, problems }, { now, timer, hasGh: true }));
  expect(reply.text).toContain("next run: in 31 minutes (2026-11-22 00:31:11 UTC)\n");
  expect(reply.text).toContain("last run: success, 13 minutes ago (2026-11-21 23:46:11 UTC)\n");
  expect(renderMessage(reply, "ghauth").embeds[0]?.description).toMatch(
    /\*\*next run\*\*: <t:\d+:R>\n\*\*last run\*\*: success, <t:\d+:R>\n/,
  );
  // What a log says is text, not markup.
  expect(renderMessage(reply, "ghauth").embeds[0]?.description).toMatch(
    /failed: \\\[look\]\(https:\/\/example\.com\) \\\*here\\\*\.$/,
  );
});

describe.concurrent("what the App may still call this hour", () => {
  test("is a line of status, as GitHub said when the token was tried", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const { text } = await statusOf(machine);
    expect(text).toMatch(/^calls left: 4999 of 5000, all again in (59|60) minutes \(.* UTC\)$/m);
  });

  test("is all of it once that hour is over, and nothing where the last refresh failed", async () => {
    await using machine = await createMachine();
    await machine.refresh();
    const line = Object(machine.log()[0]);
    const over = { ...line.rate_limit, reset_at: "2026-01-01T00:00:00Z" };
    machine.write(machine.paths.refreshLog, `${JSON.stringify({ ...line, rate_limit: over })}\n`);
    expect((await statusOf(machine)).text).toMatch(
      /^calls left: 5000: the hour of the last refresh is over$/m,
    );
    await machine.refresh({ args: ["--force"], env: { GITHUB_APP_ID: "42" } });
    expect((await statusOf(machine)).text).not.toContain("calls left");
  });
});
