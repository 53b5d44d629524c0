import { execFileSync } from "node:child_process";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createMachine } from "../support/machine.js";
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
