import { GhauthError, toGhauthError } from "../errors.js";
import { explainWrite } from "../files/write-failure.js";
import { obtainFreshToken, type HeldToken } from "../fresh-token/fresh-token.js";
import {
  type FreshTokenConfig,
  parseFreshTokenConfig,
  readSettings,
  type Setting,
} from "../fresh-token/fresh-token-config.js";
import { runRefreshScript } from "../fresh-token/refresh-script.js";
import { systemClock } from "../system/clock.js";
import { type Environment, type Paths, resolvePaths } from "../system/paths.js";
import { removeAnswerFiles } from "../token/answer-files.js";
import { renderGitAnswer } from "../token/git-answer.js";
import { redact } from "../token/redact.js";
import { markOf, markRefused, sweepRefusals } from "../token/token-marks.js";
import type { Secret } from "../token/secret.js";
import { readTokenFile } from "../token/token-file.js";
import { parseAttributes } from "./attributes.js";
import { isOurs } from "./remote.js";

export type ActionDeps = {
  env: Environment;
  /** What git said, to its end. */
  readInput: () => string;
  say: (stream: "stdout" | "stderr", text: string) => void;
};

type Machine = ActionDeps & { paths: Paths; setting: Setting; config: FreshTokenConfig };

const usage = `usage: git-credential-ghauth get|store|erase|token

git calls it where credential.https://github.com.helper is ghauth; token prints the bare token.
GHAUTH_HOSTS names more hosts to answer for, GHAUTH_REFRESH_SCRIPT the refresh script, GHAUTH_NODE the node to run with.
Exit codes: 0 answered, or not ours to answer; 1 there is no token; 64 usage.
`;

/** git's words, and under an underscore those that platforms with a helper of their own call it by. */
const actions: Record<string, (machine: Machine) => Promise<number>> = {
  get: answer,
  erase,
  token: printToken,
  _fetch_token: printToken,
  _refresh_gh: refreshGh,
  _invalidate_cache: replaceHeld,
};

/** Does what `git-credential-ghauth ACTION` is asked; resolves with its exit code. Unknown words are no concern of ours. */
export async function runAction(action: string, deps: ActionDeps): Promise<number> {
  if (action === "--help" || action === "-h") {
    deps.say("stdout", usage);
    return 0;
  }
  if (action === "") {
    deps.say("stderr", usage);
    return 64;
  }
  const act = Object.hasOwn(actions, action) ? actions[action] : undefined;
  if (!act) return 0;
  const paths = resolvePaths(deps.env);
  const setting = readSettings(deps.env, paths);
  return act({ ...deps, paths, setting, config: parseFreshTokenConfig(setting, deps.env, paths) });
}

async function answer(machine: Machine): Promise<number> {
  if (!isOurs(parseAttributes(machine.readInput()), machine.setting)) return 0;
  const { token, hasEpoch } = await freshToken(machine);
  const epoch = token.expiresAt && hasEpoch ? token.expiresAt.getTime() / 1000 : null;
  machine.say("stdout", `${renderGitAnswer(token.secret, epoch)}\n`);
  return 0;
}

async function printToken(machine: Machine): Promise<number> {
  const { token } = await freshToken(machine);
  machine.say("stdout", `${token.secret.reveal()}\n`);
  return 0;
}

async function freshToken({ env, config }: Machine): Promise<HeldToken> {
  return obtainFreshToken({ clock: systemClock, env, trigger: "git" }, config);
}

/** git tells every helper of a password that did not work, also of another helper's. */
async function erase(machine: Machine): Promise<number> {
  const attributes = parseAttributes(machine.readInput());
  if (!isOurs(attributes, machine.setting)) return 0;
  const held = readTokenFile(machine.config.tokenEnvFile);
  if (held.type === "token" && held.token.secret.reveal() === attributes.password)
    mark(held.token.secret, machine, "GitHub refused the token, and its mark");
  return 0;
}

async function replaceHeld(machine: Machine): Promise<number> {
  const held = readTokenFile(machine.config.tokenEnvFile);
  if (held.type === "token") mark(held.token.secret, machine, "The token is to be replaced, and its mark");
  return 0;
}

/** The next one who wants a token gets another. */
function mark(token: Secret, { paths, config }: Machine, what: string): void {
  sweepRefusals(config.refusedTokens, systemClock.now());
  try {
    markRefused(token, config.refusedTokens);
  } catch (error) {
    throw explainWrite(error, what, markOf(token, config.refusedTokens));
  }
  try {
    removeAnswerFiles(token, paths.gitAnswers);
  } catch (error) {
    throw explainWrite(error, "The token is no good any more, and the answers with it in", paths.gitAnswers);
  }
}

/** gh is updated by every refresh: what is asked for is a new one. */
async function refreshGh({ env, config, say }: Machine): Promise<number> {
  try {
    const result = await runRefreshScript(config, { env, trigger: "git", force: true });
    say("stderr", redact(result.stdout + result.stderr));
    if (result.exitCode !== null) return result.exitCode;
    throw new GhauthError(
      "refresh_timeout",
      `the refresh script ${config.refreshScript} did not end by itself.`,
    );
  } catch (thrown) {
    const { message, exitCode } = toGhauthError(thrown);
    say("stderr", `git-credential-ghauth: ${redact(message)}\n`);
    return exitCode;
  }
}
