import { settings } from "../source/settings-table.js";

const settingsHelp = Object.fromEntries(Object.entries(settings).map(([name, { help }]) => [name, help]));

/** What the refresh script takes. */
export const commandLine = {
  summary: "mint a GitHub App installation token, try it, and publish it to the token env file and gh",
  details:
    "Settings come from the environment and ~/.config/takopi/github-app.env; the environment wins, and an empty variable counts as unset.",
  options: {
    "--force": "mint even if another run has just published a token",
    "--revoke":
      "revoke the token that is held, at GitHub and for everybody who has it, then mint and publish another",
    "--check":
      "mint nothing: try key, App, installation and the held token, and print what came of it as JSON",
    "--settings": "only print what would be used, as assignments for a shell, without secrets",
    "--settings-file": "only print github-app.env with the environment's settings written into it",
  },
  variables: {
    ...settingsHelp,
    GITHUB_APP_PRIVATE_KEY_PATH: "default ~/.config/takopi/github-app.pem",
    GITHUB_APP_PRIVATE_KEY_FILE: "the same",
    GITHUB_APP_PRIVATE_KEY: "the key itself, in the environment only: PEM, or base64 of one",
    GHAUTH_NODE: "the node to run with",
    XDG_CONFIG_HOME: "where settings are, in place of ~/.config",
    XDG_STATE_HOME: "where lock, refresh log and marks are, in place of ~/.local/state",
  },
  exitCodes: {
    0: "refreshed, or another run just did",
    64: "wrong usage",
    75: "failed for now, and the old token was kept: try again",
    78: "a person must change something",
  },
} as const;
