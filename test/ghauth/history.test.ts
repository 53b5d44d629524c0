import { hostname } from "node:os";
import { expect, test } from "vitest";
import { createGhauthCommand } from "../../src/ghauth/ghauth-command.js";
import type { History } from "../../src/ghauth/history/figures.js";
import type { CommandContext } from "../../src/takopi/command-backend.js";
import type { RefreshLogEntry } from "../../src/token/refresh-log.js";
import { renderMessage } from "../../src/transports/discord/message.js";
import { renderHtml } from "../../src/transports/telegram/html.js";
import { createMachine, executables, type Machine } from "../support/machine.js";
import { needs } from "../support/needs.js";
import { logEntry } from "../support/refresh-log-lines.js";

const now = new Date("2026-11-25T01:20:30Z");
const ago = (minutes: number, more: Partial<RefreshLogEntry> = {}) =>
  logEntry(new Date(now.getTime() - minutes * 60_000), { ms: 900, ...more });
const failed = (minutes: number, more: Partial<RefreshLogEntry> = {}) =>
  ago(minutes, { ok: false, ms: 8000, ...more });

const writeLog = (machine: Machine, entries: RefreshLogEntry[]) =>
  machine.write(machine.paths.refreshLog, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(""));

/** What /ghauth answers at 01:20:30 on 25 November, in a chat unless `channelId` says otherwise. */
async function ask(machine: Machine, words: string, channelId = "chat") {
  const command = createGhauthCommand({
    clock: { now: () => now, elapsedMs: () => 0, sleep: async () => {} },
    env: machine.env,
    hasTimerAndGh: false,
  });
  const context: CommandContext = {
    command: "ghauth",
    text: `/ghauth ${words}`,
    argsText: words,
    args: words.split(" "),
    message: { channelId, messageId: "1", threadId: null, senderId: null, raw: null },
    transport: null,
    replyTo: null,
    replyText: null,
    configPath: null,
    pluginConfig: {},
    executor: { send: async () => null, edit: async () => {} },
  };
  const reply = await command.handle(context);
  if (!reply) throw new Error("no answer");
  machine.sayInChat(reply.text);
  return reply;
}

/** A day with a retried refresh, an outage of GitHub's, a night in which the host was off, and a refused token. */
const day = [
  ago(1500),
  ...Array.from({ length: 18 }, (_, index) => ago(1455 - index * 45)),
  failed(645),
  ago(643, { trigger: "chat", by: "telegram:42" }),
  ago(600),
  failed(555, { code: "rate_limited" }),
  failed(510, { sentence: "GitHub has had too much of us." }),
  ago(465),
  ago(200),
  ago(155),
  ago(110, { trigger: "git", refused_at: ago(120).at }),
  ago(65),
  ago(20),
];

test("in chat: a strip of squares with its hours, the gaps and why, the last attempts", async () => {
  await using machine = await createMachine();
  writeLog(machine, day);
  const { text, level } = await ask(machine, "history");
  expect(level).toBe("warn");
  expect(text).toBe(
    [
      `GitHub token, last 24 h: working 79.8 % of the time (${hostname()})`,
      "🟩🟩🟩🟩🟩🟩🟩🟩",
      "🟩🟩🟩🟩🟩🟩🟩🟩",
      "🟩🟧🟩🟥🟥🟩⬜⬜",
      "⬜⬜⬜🟩🟩🟩🟩🟩",
      "Tue 01:20 – Wed 01:20 UTC",
      "🟩 ok 🟧 retried 🟥 failed ⬜ none",
      "longest gap: 3 h 25 min, of 3 gaps",
      "Tue 18:35 – 22:00: 3 h 25 min; nothing tried to refresh it (was the host down, or its timer?)",
      "Tue 16:20 – 17:35: 1 h 15 min; 2 refreshes failed, last with: GitHub has had too much of us.",
      "Tue 23:20 – 23:30: 10 min; the token was revoked, or GitHub refused it",
      "last attempts: newest first, times in UTC",
      "Wed 01:00: timer, ok, 0.9 s",
      "Wed 00:15: timer, ok, 0.9 s",
      "Tue 23:30: git, ok, 0.9 s",
      "Tue 22:45: timer, ok, 0.9 s",
      "Tue 22:00: timer, ok, 0.9 s",
    ].join("\n"),
  );
});

test("who asked, and why an attempt failed, is said beside it", async () => {
  await using machine = await createMachine();
  writeLog(machine, [failed(30), ago(10, { trigger: "chat", by: "telegram:42" })]);
  const { text } = await ask(machine, "history 1");
  expect(text).toContain(
    "\nWed 01:10: chat (telegram:42), ok, 0.9 s\nWed 00:50: timer, failed (github_unreachable), 8.0 s",
  );
  expect(text).toContain("\n- The refresh log begins Wed 00:50 UTC: what was before is not counted.");
});

test.each<[string, RefreshLogEntry[], string, string]>([
  ["an empty log", [], "warn", "GitHub token, last 24 h: unknown, for the refresh log has no line yet"],
  ["a log of the future", [ago(-10)], "warn", "so the clock was set back"],
  ["a day without a gap", [ago(30)], "ok", "working all the time"],
  ["a gap that is over", [ago(200), ago(30)], "warn", "working 44.9 % of the time"],
  [
    "a gap that lasts",
    [ago(200), failed(2)],
    "error",
    " – now: 2 h 20 min; 1 refresh failed, last with: GitHub cannot",
  ],
  ["a second within hours", [ago(100), ago(39.99)], "warn", "working 99.9 % of the time"],
])("%s", async (_what, entries, level, said) => {
  await using machine = await createMachine();
  writeLog(machine, entries);
  const reply = await ask(machine, "history");
  expect(reply).toMatchObject({ level, text: expect.stringContaining(said) });
});

test("a token that git was told to erase counts as gone from then on", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const secret = machine.heldToken();
  const read = async (): Promise<History> => JSON.parse((await machine.ghauth(["history", "--json"])).stdout);
  expect(await read()).toMatchObject({ uptime: 1, longest_gap_seconds: 0 });
  const input = `protocol=https\nhost=github.com\nusername=x-access-token\npassword=${secret}\n\n`;
  const helper = executables.refresh.replace("takopi-refresh-github-token", "git-credential-ghauth");
  await machine.run([helper, "erase"], { input });
  const { uptime } = await read();
  expect(uptime).toBeLessThan(1);
});

test("--json is the figures and the log's own lines, without what looks like a secret", async () => {
  await using machine = await createMachine();
  await machine.refresh();
  const piece = machine.heldToken().slice(6, 26);
  const line = failed(-60_000_000, { sentence: `GitHub says ${piece}.` });
  machine.write(
    machine.paths.refreshLog,
    `${machine.read(machine.paths.refreshLog)}${JSON.stringify(line)}\n`,
  );
  const { exitCode, stdout, stderr } = await machine.ghauth(["history", "3", "--json"]);
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  const { attempts, slots, ...figures }: History = JSON.parse(stdout);
  expect(figures).toEqual({ hours: 3, uptime: 1, longest_gap_seconds: 0 });
  expect(slots.map(({ state }) => state)).toEqual(["none", "none", "none", "ok"]);
  expect(attempts).toEqual([{ ...line, sentence: "GitHub says [redacted]." }, machine.log()[0]]);
  expect((await machine.ghauth(["history"])).stdout).not.toContain(piece.slice(0, 12));
  writeLog(machine, []); // what was planted is no leak of ours
});

test.each([["0"], ["a"], ["1.5"], ["169"], ["--", "-1"]])(
  "ghauth history %s is wrong usage, told on stderr",
  async (...words) => {
    await using machine = await createMachine();
    const { exitCode, stdout, stderr } = await machine.ghauth(["history", ...words]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: "" });
    expect(stderr).toMatch(/^Usage: ghauth history .*\n[\s\S]*a number of hours, 1 to 168/);
  },
);

test("in chat, hours that are none get a sentence, and words with a dash are refused whatever they follow", async () => {
  await using machine = await createMachine();
  expect(await ask(machine, "history tomorrow")).toMatchObject({
    level: "error",
    text: "error:\nhistory takes a number of hours, 1 to 168, or nothing for the last 24.",
  });
  for (const words of ["history --json", "history -1", "status --json", "-x"])
    expect(await ask(machine, words)).toMatchObject({
      level: "warn",
      text: "In chat /ghauth takes no options: leave out the words that begin with a dash.",
    });
});

test("a log that cannot be read is told", async () => {
  await using machine = await createMachine();
  await machine.run(["mkdir", "-p", machine.paths.refreshLog]);
  const { exitCode, stdout } = await machine.ghauth(["history"]);
  expect(exitCode).toBe(78);
  expect(stdout).toMatch(/The refresh log .* cannot be read: it is not a regular file\. Correct its owner/);
});

test("a week fits a message of either chat, and no row is wider than a phone", async () => {
  await using machine = await createMachine();
  const outages = Array.from({ length: 1000 }, (_, index) =>
    index % 5 === 0 ? ago(10_000 - index * 10) : failed(10_000 - index * 10, { sentence: "No. ".repeat(20) }),
  );
  writeLog(machine, outages);
  const reply = await ask(machine, "history 168");
  const rows = (reply.strip ?? "").split("\n");
  expect(rows.filter((row) => /^[🟩🟧🟥⬜]{8}$/u.test(row))).toHaveLength(28);
  expect(rows.filter((row) => /^(\w{3} 01:20) – \w{3} 01:20 UTC$/.test(row))).toHaveLength(7);
  expect(Math.max(...rows.map((row) => Array.from(row).length))).toBeLessThanOrEqual(34);
  const html = renderHtml(reply);
  expect(html.length).toBeLessThanOrEqual(4096);
  expect(html).toContain("\n🟧🟧🟧🟧🟧🟧🟧🟧\n");
  expect(html).toMatch(/last attempts: .*(\n\w{3} \d\d:\d\d: timer.*){5}/);
  const [embed] = renderMessage(reply, "ghauth").embeds;
  expect(embed?.description).toContain("\n🟧🟧🟧🟧🟧🟧🟧🟧\n");
  expect(embed?.description?.length).toBeLessThanOrEqual(4096);
});

test("at a terminal: a line of blocks a day, with the hours below them", async () => {
  await using machine = await createMachine();
  writeLog(machine, day);
  const { text } = await ask(machine, "history 36", "terminal");
  expect(text.split("\n").slice(0, 5)).toEqual([
    "GitHub token, last 36 h: working 80.6 % of the time",
    `Mon ${"·".repeat(28)}${"▇".repeat(36)}`,
    `Tue ${"▇▇▅▅▇▇▂▂▂▂▇▇".padEnd(22, "·")}${"▇".repeat(10)}`,
    "    13:20           19:20           01:20           07:20 UTC",
    "    ▇ ok  ▅ retried  ▂ failed  · none",
  ]);
});

/** `ghauth history` on a terminal of so many columns. */
async function atTerminal(
  machine: Machine,
  columns: number,
  env: { NO_COLOR?: string } = {},
): Promise<string> {
  const command = `stty cols ${columns}; '${process.execPath}' '${executables.ghauth}' history`;
  const { stdout } = await machine.run(["script", "--quiet", "--return", "--command", command, "/dev/null"], {
    env: { TERM: "xterm-256color", ...env },
  });
  return stdout.replaceAll("\r", "");
}

test("colours are for a terminal that has them; a narrow one gets a column a slot", async (context) => {
  needs(context, "script");
  await using machine = await createMachine();
  await machine.refresh();
  const legend = (paint: (code: number, text: string) => string) =>
    `    ${paint(32, "▇")} ok  ${paint(33, "▅")} retried  ${paint(31, "▂")} failed  ${paint(90, "·")} none\n`;
  const painted = legend((code, text) => `\u001B[${code}m${text}\u001B[0m`);
  const plain = legend((_code, text) => text);

  const wide = await atTerminal(machine, 80);
  expect(wide).toContain(painted);
  expect(wide).toContain("\u001B[32m▇▇\u001B[0m\n");
  expect(await atTerminal(machine, 40)).toContain("m·\u001B[0m\u001B[32m▇\u001B[0m\n");
  const uncoloured = await atTerminal(machine, 80, { NO_COLOR: "1" });
  expect(uncoloured).toContain(plain);
  expect(uncoloured).not.toContain("\u001B");
  const piped = await machine.ghauth(["history"], { env: { TERM: "xterm-256color" } });
  expect(piped.stdout).toContain(plain);
  expect(piped.stdout).not.toContain("\u001B");
});
