import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  answerOf,
  ask,
  createGitHost,
  exampleToken,
  fakeRefreshScript,
  fakeRuns,
  type GitHost,
  shells,
} from "../support/git-host.js";
import { needs, needsRoot } from "../support/needs.js";

const input = ask();

/** A directory for PATH with a `date` alone, which notes that it was asked and tells the time as it is. */
function pathWithDate(host: GitHost): string {
  const bin = join(host.home, "date only");
  mkdirSync(bin, { recursive: true });
  host.write(join(bin, "date"), `#!/bin/sh\n: >"$HOME/asked date"\nexec /bin/date "$@"\n`, 0o755);
  return bin;
}

const askedDate = (host: GitHost) => existsSync(join(host.home, "asked date"));

describe.each(shells)("under $shell", ({ shell, words }) => {
  test("nothing is forked on the way to a fresh token", async (context) => {
    needs(context, shell, "strace");
    await using host = await createGitHost();
    const epoch = host.publish(exampleToken, 3000, ["git.example:8443"]);
    host.write(host.paths.appEnvFile, "GITHUB_APP_REPOSITORIES=acme/site\n");
    const trace = join(host.home, "trace");
    const calls = "trace=fork,vfork,clone,clone3,execve";

    const { stdout } = await host.helper(["get"], {
      words: ["strace", "-f", "-qq", "-e", "signal=none", "-e", calls, "-o", trace, ...words],
      input: ask("git.example:8443", "username=alice", "wwwauth[]=Basic realm=GitHub", ""),
    });

    expect(stdout).toBe(answerOf(exampleToken, epoch));
    expect(host.read(trace).trim().split("\n")).toEqual([expect.stringContaining("execve(")]);
  });

  test("without any program on PATH a fresh token is answered", async (context) => {
    needs(context, shell);
    await using host = await createGitHost();
    const epoch = host.publish(exampleToken, 3000);
    const { stdout: found } = await host.run(["sh", "-c", `command -v ${words[0]}`]);

    const { stdout, stderr } = await host.helper(["get"], {
      words: [found.trim(), ...words.slice(1)],
      env: { PATH: "/nonexistent" },
      input,
    });

    expect({ stdout, stderr }).toEqual({ stdout: answerOf(exampleToken, epoch), stderr: "" });
  });
});

test("the clock from /proc is the system's, whatever the environment calls EPOCHSECONDS", async (context) => {
  needs(context, "dash");
  await using host = await createGitHost();
  const env = {
    GHAUTH_REFRESH_SCRIPT: fakeRefreshScript(host, 75),
    EPOCHSECONDS: "1",
  };
  const refreshes = async (seconds: number) => {
    rmSync(join(host.home, "ran"), { force: true });
    host.publish(exampleToken, seconds);
    await host.helper(["get"], { words: ["dash"], env, input });
    return fakeRuns(host).length;
  };

  expect(await refreshes(330)).toBe(0);
  expect(await refreshes(270)).toBe(1);
});

test("a container that is shown another uptime than the kernel's asks date", async (context) => {
  needs(context, "dash");
  needsRoot(context);
  await using host = await createGitHost();
  const epoch = host.publish(exampleToken, 3000);
  const PATH = `${pathWithDate(host)}:${host.env["PATH"]}`;
  const get = async (uptime: string) =>
    host.helper(["get"], {
      words: ["unshare", "--mount", "sh", "-c", `${uptime} exec dash "$@"`, "dash"],
      env: { PATH },
      input,
    });

  expect((await get("")).stdout).toBe(answerOf(exampleToken, epoch));
  expect(askedDate(host)).toBe(false);

  host.write(join(host.home, "uptime"), "5.00 1.00\n");
  expect((await get('mount --bind "$HOME/uptime" /proc/uptime &&')).stdout).toBe(
    answerOf(exampleToken, epoch),
  );
  expect(askedDate(host)).toBe(true);
});
