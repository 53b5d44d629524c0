import { execFileSync } from "node:child_process";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { createMachine, executables } from "../support/machine.js";
import { needs, needsRoot } from "../support/needs.js";
import { isSkipped, makeDirectory } from "../support/programs.js";

const isUnprivileged = process.getuid?.() !== 0;
const reason = "only root can mount a tiny file system";

/** A file system of 64 KB, unmounted when it is disposed of. */
function mountTiny(): { directory: string } & Disposable {
  const directory = makeDirectory();
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=64k,mode=0700", "tmpfs", directory]);
  return {
    directory,
    [Symbol.dispose]: () => {
      execFileSync("umount", [directory]);
    },
  };
}

test.for([
  {
    what: "a full disk",
    arrange: (directory: string) => {
      try {
        writeFileSync(join(directory, "filler"), Buffer.alloc(128 * 1024));
      } catch {
        // full, as it should be
      }
    },
    exitCode: 75,
    code: "write_failed",
    says: /cannot be written: the disk is full\. The old token was kept/,
  },
  {
    what: "a read-only directory",
    arrange: (directory: string) => execFileSync("mount", ["-o", "remount,ro", directory]),
    exitCode: 78,
    code: "file_unusable",
    says: /cannot be written: its file system is read-only\. The old token was kept/,
  },
])("$what leaves the old token file, and nothing beside it", async (row, { skip }) => {
  skip(isSkipped(isUnprivileged), reason);
  await using machine = await createMachine();
  using tiny = mountTiny();
  const { directory } = tiny;
  const env = { TOKEN_ENV_FILE: join(directory, "github-token.env") };
  expect(await machine.refresh({ env })).toMatchObject({ exitCode: 0 });
  const old = machine.read(env.TOKEN_ENV_FILE);
  row.arrange(directory);
  const entries = readdirSync(directory);

  const { exitCode, stderr } = await machine.refresh({ env });

  expect({ exitCode, stderr }).toEqual({ exitCode: row.exitCode, stderr: expect.stringMatching(row.says) });
  expect(machine.read(env.TOKEN_ENV_FILE)).toBe(old);
  expect(readdirSync(directory)).toEqual(entries);
  expect(machine.log().at(-1)).toMatchObject({ ok: false, code: row.code, exit: row.exitCode });
});

test("an append-only directory is told as one, and no token stays beside the old file", async (context) => {
  needsRoot(context);
  needs(context, "chattr");
  await using machine = await createMachine();
  await machine.refresh();
  const [held, directory] = [machine.heldToken(), dirname(machine.paths.tokenEnvFile)];
  try {
    execFileSync("chattr", ["+a", directory], { stdio: "ignore" });
  } catch {
    context.skip("this file system knows no attributes");
  }
  try {
    const { exitCode, stderr } = await machine.refresh();

    expect({ exitCode, stderr }).toEqual({
      exitCode: 78,
      stderr: expect.stringMatching(
        /cannot be written: its directory or the file is append-only or immutable: see lsattr/,
      ),
    });
    expect(machine.heldToken()).toBe(held);
    const scratch = readdirSync(directory).filter((name) => name.endsWith(".tmp"));
    expect(scratch.map((name) => machine.read(join(directory, name)))).toEqual([""]);
  } finally {
    execFileSync("chattr", ["-a", directory]);
  }
});

test("another user's file in a sticky directory is told as one, and nothing stays beside it", async (context) => {
  needsRoot(context);
  needs(context, "setpriv");
  await using machine = await createMachine();
  const directory = join(machine.root, "shared");
  const tokenEnvFile = join(directory, "github-token.env");
  machine.write(tokenEnvFile, "");
  chmodSync(directory, 0o1777);
  for (const path of [machine.root, machine.home]) chmodSync(path, 0o755);
  execFileSync("chown", ["-R", "65534:65534", machine.home]);

  const { exitCode, stderr } = await machine.run(
    ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", executables.refresh],
    { env: { TOKEN_ENV_FILE: tokenEnvFile } },
  );

  expect({ exitCode, stderr }).toEqual({
    exitCode: 78,
    stderr: expect.stringMatching(
      /its directory is sticky, and the file is another user's: have it removed\./,
    ),
  });
  expect(readdirSync(directory)).toEqual(["github-token.env"]);
});

test.for([
  { what: "once costs nothing", when: "1", exitCode: 0, says: /^Refreshed: / },
  {
    what: "again and again is 75",
    when: "1+",
    exitCode: 75,
    says: /another program removes what is written beside it/,
  },
])("scratch that somebody else removes $what", async ({ when, exitCode, says }, context) => {
  needs(context, "strace");
  await using machine = await createMachine();
  const inject = `inject=rename:error=ENOENT:when=${when}`;

  const run = await machine.run([
    "strace",
    "-f",
    "-qq",
    "-o",
    "/dev/null",
    "-e",
    inject,
    executables.refresh,
  ]);

  expect({ exitCode: run.exitCode, said: run.stdout + run.stderr }).toEqual({
    exitCode,
    said: expect.stringMatching(says),
  });
});

test("a state directory that cannot be written costs neither the token nor the exit code", async ({
  skip,
}) => {
  skip(isSkipped(isUnprivileged), reason);
  await using machine = await createMachine();
  using tiny = mountTiny();
  const { directory } = tiny;
  execFileSync("mount", ["-o", "remount,ro", directory]);

  const { exitCode, stdout, stderr } = await machine.refresh({ env: { XDG_STATE_HOME: directory } });

  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Refreshed: .*warning: the lock .* cannot be opened/);
  expect(stderr).toMatch(/^The refresh log .* cannot be written/);
});
