import { once } from "node:events";
import { createInterface } from "node:readline/promises";
import { resolve } from "node:path";
import { GhauthError } from "../errors.js";
import { examine, type Examined } from "../ghauth/doctor/examine.js";
import { fix } from "../ghauth/doctor/run-remedies.js";
import { createHost } from "../ghauth/doctor/host.js";
import { renderDiagnoses } from "../ghauth/doctor/page.js";
import { systemClock } from "../system/clock.js";
import { expandPath, resolvePaths } from "../system/paths.js";
import { createTimerReader } from "../system/systemd-timer.js";
import { redact } from "../token/redact.js";

type Options = { json?: true; fix?: true; yes?: true; repo?: string[]; config?: string };

/** `ghauth doctor`: all checks, and with `--fix` what may be run of the remedies. Resolves with 1 where an error is left. */
export async function main({ json, fix: fixes, yes, repo = [], config }: Options): Promise<number> {
  const { env, stdin, stdout } = process;
  if (yes && !fixes) throw new GhauthError("usage", "--yes is for --fix");
  if (json && fixes) throw new GhauthError("usage", "--json shows, and --fix asks: one of them at a time");
  if (fixes && !yes && !stdin.isTTY) throw new GhauthError("usage", "without a terminal, --fix needs --yes");

  const paths = resolvePaths(env);
  const look = async () => {
    const host = createHost({
      env,
      paths,
      clock: systemClock,
      configPath: config === undefined ? paths.takopiConfig : expandPath(config, paths),
      repositories: [...new Set([process.cwd(), ...repo].map((directory) => resolve(directory)))],
      requester: { trigger: "terminal", by: null },
      readTimer: createTimerReader({ clock: systemClock, env }),
    });
    return { host, examined: await examine(host) };
  };
  const print = (examined: readonly Examined[]) => stdout.write(`${renderDiagnoses(examined, null)}\n`);
  const { host, examined } = await look();
  if (json) {
    const checks = examined.map(({ label, level, detail, remedy }) => ({ label, level, detail, remedy }));
    stdout.write(`${JSON.stringify({ checks })}\n`);
    return exitCodeOf(examined);
  }
  print(examined);
  if (!fixes || examined.every(({ level }) => level === "ok")) return exitCodeOf(examined);

  const secrets = host.token.type === "token" ? [host.token.token.secret] : [];
  await fix(examined, host, {
    ask: yes ? async () => true : askAtTerminal,
    say: (line) => stdout.write(`${line}\n`),
    clean: (text) => redact(text, secrets),
  });
  const after = await look();
  stdout.write("\n");
  print(after.examined);
  return exitCodeOf(after.examined);
}

function exitCodeOf(examined: readonly Examined[]): number {
  return examined.some(({ level }) => level === "error") ? 1 : 0;
}

/** Ctrl-C and Ctrl-D are a no. */
async function askAtTerminal(question: string): Promise<boolean> {
  const lines = createInterface({ input: process.stdin, output: process.stdout });
  const closed = once(lines, "close").then(() => "");
  try {
    const answer = await Promise.race([lines.question(`${question} [y/N] `), closed]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    lines.close();
  }
}
