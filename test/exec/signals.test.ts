import { expect, test } from "vitest";
import { createGitHost, exampleToken, type GitHost } from "../support/git-host.js";
import { startProgram } from "../support/live-program.js";
import { executables } from "../support/machine.js";
import { needs } from "../support/needs.js";

const ghauth = [process.execPath, executables.ghauth] as const;

/** Says each signal that it gets; SIGTERM ends it with 7. */
const listener = `
  const names = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGTERM", "SIGCONT", "SIGWINCH"];
  for (const name of names) process.on(name, () => {
    console.log("got " + name);
    if (name === "SIGTERM") process.exit(7);
  });
  setInterval(() => {}, 1000);
  console.log("ready");
`;

const shellQuoted = (words: readonly string[]) =>
  words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");

/** A program on a terminal of its own, typed to by `type`. */
const onTerminal = (host: GitHost, command: string) =>
  startProgram(["script", "--quiet", "--return", "--echo", "never", "--command", command, "/dev/null"], {
    env: { ...host.env, TERM: "dumb", PS1: "$ " },
    cwd: host.home,
  });

test("signals that are sent to us reach the command, each once", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  await using program = startProgram([...ghauth, "exec", "--", process.execPath, "-e", listener], {
    env: host.env,
    cwd: host.home,
  });
  await program.saw("ready");

  const signals = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2", "SIGWINCH", "SIGCONT"] as const;
  for (const signal of signals) {
    program.send(signal);
    await program.saw(`got ${signal}`);
  }
  program.send("SIGTERM");

  expect(await program.exitCode()).toBe(7);
  expect(program.output()).toBe(
    ["ready", ...signals.map((name) => `got ${name}`), "got SIGTERM", ""].join("\n"),
  );
});

test("a command that dies of a signal that was sent to us gives 128 + n", async () => {
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  await using program = startProgram([...ghauth, "exec", "--", "sh", "-c", "echo ready; exec sleep 100"], {
    env: host.env,
    cwd: host.home,
  });
  await program.saw("ready");

  program.send("SIGTERM");

  expect(await program.exitCode()).toBe(143);
});

test("Ctrl-C at a terminal reaches the command once, and we outlive it", async (context) => {
  needs(context, "script");
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  const command = shellQuoted([...ghauth, "exec", "--", process.execPath, "-e", listener]);
  await using terminal = onTerminal(host, `echo "we are $$"; exec ${command}`);
  await terminal.saw("ready");
  const pid = Number(/we are (\d+)/.exec(terminal.output())?.[1]);

  terminal.type("\u0003");
  await terminal.saw("got SIGINT");
  // We handle signals in order: once this one has arrived, a SIGINT of ours would have arrived too.
  process.kill(pid, "SIGUSR1");
  await terminal.saw("got SIGUSR1");
  process.kill(pid, "SIGTERM");

  expect(await terminal.exitCode()).toBe(7);
  expect(terminal.output().match(/got SIGINT/g)).toHaveLength(1);
});

test("the command is on our terminal, and Ctrl-Z and fg stop and continue both as one job", async (context) => {
  needs(context, "script", "bash");
  await using host = await createGitHost();
  host.hold(exampleToken, 3000);
  await using terminal = onTerminal(host, "exec bash --norc --noprofile -i");
  const command = shellQuoted([
    ...ghauth,
    "exec",
    "--",
    "sh",
    "-c",
    'test -t 0 && test -t 1 && echo "on a"" terminal"; while read -r line; do echo "heard $line"; done',
  ]);

  terminal.type(`${command}\n`);
  await terminal.saw("on a terminal");
  terminal.type("\u001A");
  await terminal.saw("Stopped");
  terminal.type("jobs -s | wc -l | sed 's/^/stopped jobs: /'\n");
  await terminal.saw("stopped jobs: 1");
  terminal.type("fg\n");
  terminal.type("again\n");
  await terminal.saw("heard again");
  terminal.type("\u0004");
  terminal.type('echo "it ended"" with $?"\n');
  await terminal.saw("it ended with 0");
  terminal.type("exit 0\n");

  expect(await terminal.exitCode()).toBe(0);
});
