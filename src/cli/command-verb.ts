import { constants } from "node:os";
import { GhauthError, toGhauthError } from "../errors.js";
import { createGhauthCommand } from "../ghauth/ghauth-command.js";
import { parsePluginConfig } from "../ghauth/plugin-config.js";
import { requesterOf } from "../ghauth/requester.js";
import { systemClock } from "../system/clock.js";
import { endWithParent } from "../system/end-with-parent.js";
import { resolvePaths } from "../system/paths.js";
import { isRestricted } from "../takopi/dispatch.js";
import { redact } from "../token/redact.js";
import { renderHtml } from "../transports/telegram/html.js";
import { type ShimRequest, parseShimRequest } from "./shim-request.js";
import { refusalOf } from "./shim-access.js";

type Answer = {
  text: string;
  notify: boolean;
  telegram_html?: string;
  /** What a button may offer. */
  actions?: readonly string[];
};

const largestRequest = 262_144;
const requestDeadlineMs = 5_000;
/** Beyond refresh_timeout_seconds, and within what the Takopi shim waits. */
const headroomMs = 5_000;
/** For what runs no script; the shim waits 8 s. */
const quickMs = 6_500;
const slow = new Set(["refresh", "revoke", "doctor"]);

/**
 * `ghauth command`: answers one JSON request on stdin with one JSON answer on stdout, for the Takopi shim. Resolves
 * with 0 whenever it answered; rejects with `usage` where nothing was asked.
 */
export async function main(): Promise<number> {
  // The refresh script has a process group of its own, which is ended when this process exits: see run-refresh-script.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
  endWithParent(() => process.exit(128 + constants.signals.SIGHUP));
  let deadline = startDeadline(requestDeadlineMs, "No whole request came on stdin");
  try {
    const input = await readInput();
    if (input.trim() === "")
      throw new GhauthError("usage", "ghauth command answers one JSON request on stdin, and there was none.");
    const request = parseShimRequest(input);
    clearTimeout(deadline);
    deadline = startDeadline(timeoutMs(request), "ghauth was not done");
    say(await answer(request));
  } catch (thrown) {
    const error = toGhauthError(thrown);
    if (error.code === "usage") throw error;
    say({ text: `error:\n${error.message}`, notify: true });
  } finally {
    clearTimeout(deadline);
    process.stdin.destroy(); // a caller may leave it open
  }
  return 0;
}

async function answer(request: ShimRequest): Promise<Answer> {
  const { env } = process;
  const command = createGhauthCommand({ clock: systemClock, env, isBrief: true });
  // Takopi lets no command delete a message.
  if (command.pastedSecret?.isIn(request) === true) {
    const { text, notify = true } = command.pastedSecret.answer("kept");
    return { text, notify };
  }
  const refusal = refusalOf(request, { command, env });
  if (isRestricted(command, request)) await logWho(request, { isRefused: refusal !== null });
  if (refusal !== null) return { text: refusal, notify: true };
  const result = await command.handle({
    command: command.id,
    text: `/${command.id} ${request.argsText}`.trim(),
    argsText: request.argsText,
    args: request.args,
    message: { ...request.message, messageId: null, raw: null },
    transport: request.transport,
    replyTo: null,
    replyText: null,
    configPath: request.configPath,
    pluginConfig: request.pluginConfig,
    // Takopi shows one answer, at the end.
    executor: { send: async () => null, edit: async () => {} },
  });
  if (!result) throw new GhauthError("unexpected", "The command had nothing to say.");
  const { text, notify = true, actions = [] } = result;
  const html = request.acceptsTelegramHtml ? renderHtml(result) : null;
  // What redaction still finds may end within an element: then the text alone goes.
  const isClean = html !== null && redact(html) === html;
  return { text, notify, ...(isClean && { telegram_html: html, actions }) };
}

/** One line on stderr for what not everybody may do; who only looks waits for no log to be loaded. */
async function logWho(
  { transport, message, args: [word] }: ShimRequest,
  { isRefused }: { isRefused: boolean },
): Promise<void> {
  const { createLog } = await import("../log/log.js");
  // LOG_LEVEL is Takopi's here, and may be a word that is not ours.
  const log = createLog({ level: undefined, write: (line) => process.stderr.write(line) });
  const { by } = requesterOf({ transport, message: { ...message, messageId: null, raw: null } });
  const who = { by, channel: message.channelId, sender: message.senderId, args: word };
  log.info(isRefused ? "command.refused" : "command.asked", who);
}

function say({ text, telegram_html, ...rest }: Answer): void {
  const shown = {
    text: breakMentions(redact(text)),
    ...(telegram_html !== undefined && { telegram_html: breakMentions(telegram_html) }),
    ...rest,
  };
  process.stdout.write(`${JSON.stringify(shown)}\n`);
}

/** What a log or a script says calls nobody: Takopi's transports forbid no mentions. */
function breakMentions(text: string): string {
  return text.replaceAll(/@(?=everyone|here)|<(?=@)/g, "$&\u200B");
}

/** This process does not outlive its purpose, and the script's process group goes with it. */
function startDeadline(ms: number, what: string): NodeJS.Timeout {
  return setTimeout(() => {
    say({
      text: `error:\n${what} within ${ms / 1000} s: see ghauth status on the host, and try again.`,
      notify: true,
    });
    process.exit(0);
  }, ms);
}

function timeoutMs(request: ShimRequest): number {
  const word = request.args[0]?.toLowerCase() ?? "";
  return slow.has(word) ? refreshTimeoutMs(request) + headroomMs : quickMs;
}

/** A configuration that is wrong gets the default: the answer tells what is wrong with it. */
function refreshTimeoutMs({ pluginConfig, configPath }: ShimRequest): number {
  const { env } = process;
  const paths = resolvePaths(env);
  const where = { configPath: configPath ?? paths.takopiConfig, paths, env };
  try {
    return parsePluginConfig(pluginConfig, where).refreshTimeoutMs;
  } catch (error) {
    if (error instanceof GhauthError) return parsePluginConfig({}, { ...where, env: {} }).refreshTimeoutMs;
    throw error;
  }
}

async function readInput(): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of process.stdin) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    length += bytes.length;
    if (length > largestRequest)
      throw new GhauthError("config_invalid", `The request is larger than ${largestRequest} bytes.`);
  }
  return Buffer.concat(chunks).toString("utf8");
}
