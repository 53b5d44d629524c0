import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { medians, ratioLine } from "./compare.mjs";

const script = join(import.meta.dirname, "../scripts/git-credential-ghauth");
const batch = 10;

/** `get` on a ready answer against a shell that does nothing and `gh auth git-credential get`, each started by a shell. */
export async function benchCredentialHelper() {
  const home = mkdtempSync(join(tmpdir(), "ghauth-bench-"));
  try {
    const env = prepareHome(home);
    const hasGh = spawnSync("sh", ["-c", "command -v gh"], { env }).status === 0;
    // Batches, because starting the shell that starts them is not what is compared; gh is slow enough alone.
    const commands = [repeat("sh -c :", batch), repeat(`'${script}' get`, batch)];
    if (hasGh) commands.push(repeat("gh auth git-credential get", 1));
    const [bare, ours, gh] = medians(commands, { rounds: 41, options: { env } });
    const [bareMs, oursMs] = [bare / batch, ours / batch];
    const what = "git-credential-ghauth get, answer ready";
    return [
      ratioLine(what, oursMs, { peer: "sh -c :", peerMs: bareMs, atMost: 2.2 }),
      gh === undefined
        ? `${what}: gh is not installed here`
        : ratioLine(what, oursMs, { peer: "gh auth git-credential get", peerMs: gh }),
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function prepareHome(home) {
  const token = `ghs_123456_${"Ab0-_".repeat(50)}.${"Cd1".repeat(50)}.${"Ef2".repeat(40)}`;
  const epoch = Math.floor(Date.now() / 1000) + 3000;
  const tokenEnvFile = join(home, ".config/takopi/github-token.env");
  const files = {
    ".config/takopi/github-token.env": `GITHUB_TOKEN=${token}\nGH_TOKEN=${token}\nGITHUB_TOKEN_EXPIRES_EPOCH=${epoch}\n`,
    ".config/takopi/github-app.env": "GITHUB_APP_ID=1\nGITHUB_APP_INSTALLATION_ID=2\n",
    ".local/state/takopi/git/github.com": `# ${epoch} ${tokenEnvFile}\nusername=x-access-token\npassword=${token}\npassword_expiry_utc=${epoch}\n`,
    ".config/gh/hosts.yml": `github.com:\n    oauth_token: ${token}\n    user: x-access-token\n    git_protocol: https\n`,
    question: "protocol=https\nhost=github.com\n\n",
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(home, name, ".."), { recursive: true, mode: 0o700 });
    writeFileSync(join(home, name), text, { mode: 0o600 });
  }
  return { HOME: home, PATH: process.env.PATH };
}

const repeat = (command, times) => [
  "sh",
  "-c",
  `i=0; while [ $i -lt ${times} ]; do ${command} <"$HOME/question" >/dev/null || exit 2; i=$((i + 1)); done`,
];
