import { errnoOf, GhauthError, messageOf } from "../errors.js";
import { isTokenText } from "../token/installation-token.js";
import { lastLineOf } from "../token/line-of-output.js";
import { Secret } from "../token/secret.js";
import type { CommandSourceConfig } from "./source-config.js";
import { childEnvironment } from "../system/child-environment.js";
import { findProgram } from "../system/programs.js";
import { type CommandResult, runCommand } from "../system/run-command.js";
import { readToken } from "./token-answer.js";
import type { ConfiguredSource, ObtainedToken, SourceDeps } from "./token-source.js";

const timeoutMs = 30_000;
const transient = new Set(["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ETXTBSY"]);

/** Runs GITHUB_TOKEN_COMMAND (a secret manager's client, say): its stdout is a bare token or `{"token","expires_at"}`. */
export function createCommandSource(
  { env, timeLeftMs }: Pick<SourceDeps, "env" | "timeLeftMs">,
  { words }: CommandSourceConfig,
): ConfiguredSource {
  const [program] = words;
  return {
    obtain: async () => {
      const limitMs = Math.min(timeoutMs, timeLeftMs());
      let result: CommandResult;
      try {
        result = await runCommand(words, { env: childEnvironment(env), timeoutMs: limitMs });
      } catch (error) {
        const code = transient.has(errnoOf(error) ?? "") ? "source_unavailable" : "source_refused";
        const sentence = `GITHUB_TOKEN_COMMAND ${program} cannot be run: ${messageOf(error)}.`;
        throw new GhauthError(code, sentence, { cause: error });
      }
      if (result.timedOut) {
        const seconds = Math.round(limitMs / 100) / 10;
        throw new GhauthError(
          "source_unavailable",
          `GITHUB_TOKEN_COMMAND ${program} was ended after ${seconds} s without an answer.`,
        );
      }
      return readResult(result, program);
    },
    check: async () => {
      const { executable, found } = findProgram(program, env);
      if (executable === null) {
        const reason = found ? "is not executable" : "was not found";
        throw new GhauthError("source_refused", `GITHUB_TOKEN_COMMAND ${program} ${reason}.`);
      }
      const works = `GITHUB_TOKEN_COMMAND ${program} is there (it was not run)`;
      return { works, permissions: null, clockOffsetMs: null };
    },
  };
}

function readResult({ exitCode, signal, stdout, stderr }: CommandResult, program: string): ObtainedToken {
  if (exitCode !== 0) {
    const ending = signal === null ? `ended with ${exitCode}` : `was ended by ${signal}`;
    const said = lastLineOf(stderr);
    throw new GhauthError(
      "source_unavailable",
      `GITHUB_TOKEN_COMMAND ${program} ${ending}${said === "" ? "" : `: ${said}`}.`,
    );
  }
  const text = stdout.trim();
  const token = text.startsWith("{") ? readToken(text) : bareToken(text);
  if (token) return token;
  throw new GhauthError(
    "source_unavailable",
    `GITHUB_TOKEN_COMMAND ${program} printed neither a token nor {"token","expires_at"}.`,
  );
}

function bareToken(text: string): ObtainedToken | null {
  return isTokenText(text) ? { secret: new Secret(text), expiresAt: null } : null;
}
