import { terminalChannel } from "../../takopi/command-backend.js";
import { redact } from "../../token/redact.js";
import { readRefreshLog } from "../../token/refresh-log.js";
import { refusedSince } from "../../token/token-marks.js";
import { readTokenFile } from "../../token/token-file.js";
import { computeFigures } from "../history/figures.js";
import { describeHistory } from "../history/history-page.js";
import { mostHours, parseHours } from "../history/parse-hours.js";
import { renderBlocks, renderSquares } from "../history/strip.js";
import { renderPage } from "../page.js";
import { heldSecrets, redactReply } from "../redact-reply.js";
import type { Call, Subcommand } from "../subcommand.js";

export const history: Subcommand = {
  name: "history",
  summary: "what the last hours were like: uptime, gaps and why, the last attempts",
  operand: { name: "hours", description: "how far to look back; 24 unless given", least: 1, most: mostHours },
  checkWords: (words) => void parseHours(words),
  run: (call) => {
    const { config, context, hostName, terminal } = call;
    const { figures, entries, now } = lookBack(call);
    const { slots } = figures.history;
    const isTerminal = context.message.channelId === terminalChannel;
    const page = describeHistory(figures, {
      now,
      entries,
      attempts: isTerminal ? 10 : 5,
      strip: isTerminal ? renderBlocks(slots, terminal) : renderSquares(slots, now),
    });
    const title = hostName === null ? page.title : `${page.title} (${hostName})`;
    return redactReply(renderPage({ ...page, title }), heldSecrets(config));
  },
  forms: {
    json: async (call) => {
      const { history: read } = lookBack(call).figures;
      const secrets = heldSecrets(call.config);
      const attempts = read.attempts.map((entry) => ({
        ...entry,
        sentence: redact(entry.sentence, secrets),
      }));
      return { text: `${JSON.stringify({ ...read, attempts })}\n`, exitCode: 0 };
    },
  },
};

function lookBack({ words, clock, paths, config }: Call) {
  const hours = parseHours(words);
  const now = clock.now();
  const entries = readRefreshLog(paths.refreshLog);
  const file = readTokenFile(config.tokenEnvFile);
  const refusedAt = file.type === "token" ? refusedSince(file.token.secret, paths.refusedTokens) : null;
  return { figures: computeFigures(entries, { now, hours, refusedAt }), entries, now };
}
