import { verb } from "../command-line/verb.js";
import { withoutNodeDebug } from "./without-node-debug.js";

/** `ghauth sidecar`. */
export const sidecar = verb({
  summary: "keep a token file alive for containers",
  details:
    "Mints a GitHub App installation token, writes it to a file, and keeps that file fresh until SIGTERM. The refresh script's settings apply from the environment, and win over the secrets directory: see takopi-refresh-github-token --help.",
  options: {
    "--once": "end when the token file is there (init container)",
    "--health": "exit 0 while the token has at least 10 minutes left, else 1 (exec probe)",
    "--token-file <FILE>": "default /var/run/github/token; its expiry is in FILE.json",
    "--token-mode <MODE>": "0600 (default), 0400, 0440 or 0640",
    "--secrets-dir <DIR>": "app-id, installation-id and private-key; default /var/run/secrets/github-app",
    "--allow-disk": "let the token file be on something else than tmpfs",
  },
  variables: {
    WORKSPACE_REPOS: "clone URLs of one owner: the token's scope",
    REFRESH_INTERVAL_MINUTES: "default 45, at most 50",
    GITHUB_TOKEN_FILE: "where --token-file is not given",
    GITHUB_APP_SECRETS_DIR: "where --secrets-dir is not given",
    GHAUTH_REFRESH_DEADLINE_SECONDS: "how long it tries; default 60, with --once 300",
    LOG_LEVEL: "debug, info (default), warn or error",
  },
  exitCodes: {
    64: "wrong usage",
    75: "failed for now: trying again may help",
    78: "a person must change something",
  },
  load: withoutNodeDebug(async () => import("../sidecar/main.js")),
});
