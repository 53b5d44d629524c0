import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { parseBrokerOptions } from "../../src/broker/broker-options.js";
import { ghauth } from "../../src/cli/verbs.js";
import { parseWords } from "../../src/command-line/parse-words.js";

const templates = join(import.meta.dirname, "../../systemd");
const names = readdirSync(templates);
const services = names.filter((name) => name.endsWith(".service"));
const highestExposure = 2.5;

// On a build machine a missing systemd-analyze fails the tests, so that nobody overlooks that they did not run.
const isMissing =
  spawnSync("systemd-analyze", ["--version"]).error !== undefined && process.env["CI"] !== "true";

/** The units as bootstrap fills them in, in a directory that systemd's tools read and that is the home, too. */
function fillIn(value: string): {
  directory: string;
  analyze: (...args: string[]) => { status: number | null; text: string };
} {
  const directory = mkdtempSync(join(tmpdir(), "ghauth-units-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  for (const name of names) {
    const text = readFileSync(join(templates, name), "utf8").replaceAll(/@[A-Z_]+@/g, value);
    writeFileSync(join(directory, name), text);
  }
  return {
    directory,
    analyze: (...args) => {
      const { status, stdout, stderr } = spawnSync("systemd-analyze", args, {
        cwd: directory,
        env: {
          PATH: process.env["PATH"],
          HOME: directory,
          XDG_RUNTIME_DIR: directory,
          LC_ALL: "C",
          TZ: "UTC",
        },
        encoding: "utf8",
      });
      return { status, text: stdout + stderr };
    },
  };
}

describe.skipIf(isMissing)(
  `the units${isMissing ? " (skipped: systemd-analyze is not installed)" : ""}`,
  () => {
    test.each(["/usr/bin/true", "/home/the operator's 100%%/true"])(
      "systemd finds no fault in them, with %s",
      (path) => {
        const { analyze } = fillIn(path);

        expect(names).toContain("takopi-github-token-refresh.timer");
        for (const name of names) {
          expect(analyze("verify", "--user", "--recursive-errors=yes", `./${name}`)).toEqual({
            status: 0,
            text: "",
          });
        }
      },
    );

    test("README's drop-in gives the broker a store", () => {
      const readme = readFileSync(join(templates, "../README.md"), "utf8");
      const dropIn = /```ini\n(\[Service\]\nExecStart=\n[\s\S]*?)```/.exec(readme)?.[1] ?? "";
      const words = /^ExecStart=(\S+) broker (.*)$/m.exec(dropIn)?.[2]?.split(" ") ?? [];
      const asked = parseWords({ name: "ghauth", program: ghauth }, ["broker", ...words]);
      const { store, storeKeyFile } = asked.type === "run" ? asked.options : {};
      const options = { store: String(store), storeKeyFile: String(storeKeyFile) };
      expect(parseBrokerOptions(options).store?.url.protocol).toBe("redis:");
      const { directory, analyze } = fillIn("/usr/bin/true");
      const unit = "takopi-ghauth-broker.service";
      mkdirSync(join(directory, `${unit}.d`));
      writeFileSync(join(directory, `${unit}.d/override.conf`), dropIn);

      // It names this program, which a home has once install_local.sh was there.
      expect(analyze("verify", "--user", `./${unit}`).text).toContain(".local/bin/ghauth is not executable");
      mkdirSync(join(directory, ".local/bin"), { recursive: true });
      writeFileSync(join(directory, ".local/bin/ghauth"), "#!/bin/sh\n", { mode: 0o755 });
      expect(analyze("verify", "--user", "--recursive-errors=yes", `./${unit}`)).toEqual({
        status: 0,
        text: "",
      });
    });

    test("there are services among them", () => {
      expect(services).toContain("takopi-github-token-refresh.service");
    });

    test.each(services)(`%s is exposed to ${highestExposure} at most`, (name) => {
      const { analyze } = fillIn("/usr/bin/true");

      const { text } = analyze("--user", "security", "--offline=true", `./${name}`);

      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(text)?.[1]);
      expect(exposure).toBeGreaterThan(0);
      expect(exposure).toBeLessThanOrEqual(highestExposure);
    });

    test("the timer's lines elapse 45 minutes apart, all day long", () => {
      const { analyze } = fillIn("/usr/bin/true");
      const timer = readFileSync(join(templates, "takopi-github-token-refresh.timer"), "utf8");
      const lines = [...timer.matchAll(/^OnCalendar=(.*)$/gm)].map(([, line = ""]) => line);

      const elapses = lines.flatMap((line) => {
        const { text } = analyze("calendar", "--iterations=20", "--base-time=2026-11-21 00:00:00 UTC", line);
        return [...text.matchAll(/(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d) UTC$/gm)].map(([, day, time]) =>
          Date.parse(`${day}T${time}Z`),
        );
      });

      const oneDay = [...new Set(elapses)]
        .toSorted((a, b) => a - b)
        .filter((at) => at <= Date.parse("2026-11-22T12:00:00Z"));
      const gaps = oneDay.slice(1).map((at, index) => (at - (oneDay[index] ?? 0)) / 60_000);
      expect(oneDay.length).toBeGreaterThan(32);
      expect(new Set(gaps)).toEqual(new Set([45]));
    });
  },
);
