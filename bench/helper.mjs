import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const script = join(import.meta.dirname, "../scripts/git-credential-ghauth");
const rounds = 40;
const runsPerRound = 10;

/**
 * `get` on a fresh token against `gh auth git-credential get` and against a shell that does nothing. They are run in
 * turn, in batches that a shell starts, as git starts its helper; the lines hold medians and their ratios.
 */
export async function benchHelper() {
  const home = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  try {
    const env = prepareHome(home);
    const commands = {
      "sh -c :": "sh -c :",
      "git-credential-ghauth get": `'${script}' get`,
      "gh auth git-credential get": "gh auth git-credential get",
    };
    const hasGh = run("command -v gh", env);
    const names = Object.keys(commands).filter((name) => hasGh || !name.startsWith("gh "));
    const samples = new Map(names.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of names) {
        // gh takes 20 times as long: one at a time will do.
        const runs = name.startsWith("gh ") ? 1 : runsPerRound;
        const startedAt = performance.now();
        if (!run(repeat(commands[name], runs), env)) throw new Error(`${name} failed`);
        samples.get(name).push((performance.now() - startedAt) / runs);
      }
    }
    const [bare, helper, gh] = names.map((name) => median(samples.get(name)));
    return [
      `sh -c :                     ${bare.toFixed(2)} ms`,
      `git-credential-ghauth get   ${helper.toFixed(2)} ms, ${(helper / bare).toFixed(1)} times as long`,
      gh === undefined
        ? "gh auth git-credential get  gh is not installed"
        : `gh auth git-credential get  ${gh.toFixed(1)} ms, ${(gh / helper).toFixed(0)} times as long as git-credential-ghauth`,
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function prepareHome(home) {
  const token = `ghs_123456_${"Ab0-_".repeat(50)}.${"Cd1".repeat(50)}.${"Ef2".repeat(40)}`;
  const epoch = Math.floor(Date.now() / 1000) + 3000;
  const files = {
    ".config/takopi/github-token.env": `GITHUB_TOKEN=${token}\nGH_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=${epoch}\n`,
    ".config/takopi/github-app.env": "GITHUB_APP_ID=1\nGITHUB_APP_INSTALLATION_ID=2\n",
    ".config/gh/hosts.yml": `github.com:\n    oauth_token: ${token}\n    user: x-access-token\n    git_protocol: https\n`,
    question: "protocol=https\nhost=github.com\n\n",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(home, name, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, name), text, { mode: 0o600 });
  }
  return { HOME: home, PATH: process.env.PATH };
}

const repeat = (command, times) =>
  `i=0; while [ $i -lt ${times} ]; do ${command} <"$HOME/question" >/dev/null || exit; i=$((i + 1)); done`;

const run = (command, env) => spawnSync("sh", ["-c", command], { env, stdio: "ignore" }).status === 0;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
