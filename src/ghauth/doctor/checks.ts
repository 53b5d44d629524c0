import type { Check } from "./check.js";
import { chat } from "./checks/chat.js";
import { clock } from "./checks/clock.js";
import { config } from "./checks/config.js";
import { environment } from "./checks/stray-tokens.js";
import { gh } from "./checks/gh.js";
import { gitHelper } from "./checks/git-helper.js";
import { gitRemotes } from "./checks/git-remotes.js";
import { github } from "./checks/github.js";
import { key } from "./checks/key.js";
import { lastRefresh } from "./checks/last-refresh.js";
import { leftovers } from "./checks/leftovers.js";
import { linger } from "./checks/linger.js";
import { refreshScript } from "./checks/refresh-script.js";
import { timer } from "./checks/timer.js";
import { token } from "./checks/token.js";

/** What doctor looks at, in the order in which it tells: a file each in checks/. */
export const checks: readonly Check[] = [
  config,
  token,
  refreshScript,
  lastRefresh,
  key,
  timer,
  linger,
  environment,
  gitHelper,
  gitRemotes,
  gh,
  chat,
  leftovers,
  clock,
  github,
];
