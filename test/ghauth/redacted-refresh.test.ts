import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { createMachine, type Machine } from "../support/machine.js";

/** Mints the token that is held, and another live one of the same App, as a file for the script to print. */
async function mintTwo(machine: Machine): Promise<{ held: string; other: string; otherFile: string }> {
  const otherEnvFile = join(machine.root, "other.env");
  await machine.refresh({ env: { TOKEN_ENV_FILE: otherEnvFile } });
  await machine.refresh({ args: ["--force"] });
  const other = /^GITHUB_TOKEN=(.*)$/m.exec(machine.read(otherEnvFile))?.[1] ?? "";
  const otherFile = join(machine.root, "other");
  machine.write(otherFile, other);
  return { held: machine.heldToken(), other, otherFile };
}

const printers = {
  "as it is": "cat",
  "wrapped at 76 columns": "fold -w 76",
  "wrapped at 7 columns": "fold -w 7",
  "in UTF-16": "sed 's/./&\\x00/g'",
  "in colours": "sed 's/./\\x1b[31m&\\x1b[0m/g'",
  "percent-encoded": "sed 's/_/%5F/g; s/\\./%2E/g' | fold -w 76",
};

/** Text as somebody might put it together again who wants a token. */
const squeeze = (text: string) =>
  stripVTControlCharacters(text)
    .replaceAll("%5F", "_")
    .replaceAll("%2E", ".")
    .replaceAll(/[\s\p{Cc}·]/gu, "");

describe.concurrent("a refresh script that prints another live token of the same App and fails", () => {
  test.each(Object.entries(printers))("%s: no answer shows a piece of it", async (_how, printer) => {
    await using machine = await createMachine();
    const { held, other, otherFile } = await mintTwo(machine);
    machine.write(
      machine.paths.refreshScript,
      `#!/bin/sh\n{ printf 'no: '; cat '${otherFile}'; } | ${printer}\nprintf '\\nit failed\\n'\nexit 1\n`,
      0o755,
    );
    machine.write(
      machine.paths.takopiConfig,
      'transport = "telegram"\n[transports.telegram]\nchat_id = 42\n',
    );
    const input = JSON.stringify({
      v: 1,
      args: ["refresh"],
      args_text: "refresh",
      channel_id: "42",
      thread_id: null,
      sender_id: "42",
      plugin_config: { refresh_script: machine.paths.refreshScript },
      config_path: machine.paths.takopiConfig,
    });

    const terminal = await machine.ghauth(["refresh"]);
    const shim = await machine.ghauth(["command"], { input });

    expect({ shared: other.slice(0, 30), length: other.length }).toEqual({
      shared: held.slice(0, 30),
      length: expect.toSatisfy((length: number) => length > 500),
    });
    expect(terminal.exitCode).toBe(1);
    for (const answer of [terminal.stdout, JSON.parse(shim.stdout).text]) {
      expect(answer).toContain("it failed");
      expect(answer).toContain("[redacted]");
      const shown = squeeze(answer);
      const pieces = Array.from({ length: other.length - 30 - 11 }, (_, at) => other.slice(30 + at, 42 + at));
      expect(pieces.filter((piece) => shown.includes(piece))).toEqual([]);
    }
  });
});
