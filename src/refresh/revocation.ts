import { GhauthError, messageOf, toGhauthError } from "../errors.js";
import type { GitHubRequest } from "../github/github-api.js";
import { revokeToken } from "../github/revoke-token.js";
import { retry, type RetryDeps } from "../source/retry.js";
import { removeAnswerFiles } from "../token/answer-files.js";
import { type InstallationToken, prefixOf } from "../token/installation-token.js";
import { isToBeRevoked, markRevoked, markToBeRevoked } from "../token/token-marks.js";
import type { TokenFile } from "../token/token-file.js";

/** Where tokens are marked, and where git's answers are. */
export type Marks = { refusedTokens: string; gitAnswers: string };
export type RevocationDeps = RetryDeps & Marks & { request: GitHubRequest };

/** A token that works no more: it was revoked now, or had ended before. */
export type Revoked = { token: InstallationToken; outcome: "revoked" | "had_ended" };

/** The tokens of these files, each once. */
export function tokensIn(...files: TokenFile[]): InstallationToken[] {
  const tokens = new Map<string, InstallationToken>();
  for (const file of files) if (file.type === "token") tokens.set(file.token.secret.reveal(), file.token);
  return [...tokens.values()];
}

/**
 * Marks tokens as to be revoked before GitHub is asked to: whatever happens from here on, git and `ghauth exec` take
 * none of them for a good one, and the next refresh goes on where this run ends. Answers with warnings.
 */
export function markForRevocation(
  tokens: readonly InstallationToken[],
  { refusedTokens, gitAnswers }: Marks,
): string[] {
  return tokens.flatMap(({ secret }) => {
    try {
      markToBeRevoked(secret, refusedTokens);
      removeAnswerFiles(secret, gitAnswers);
      return [];
    } catch (error) {
      return [`warning: the token to be revoked cannot be marked in ${refusedTokens}: ${messageOf(error)}`];
    }
  });
}

const longestTriesMs = 20_000;

/**
 * Revokes tokens at GitHub. Rejects with what stands in the way, and the mark of such a token then stays. Without the
 * `isDemanded` of somebody who asks for it now, a refusal for good is a warning: the host must get a token again.
 */
export async function revokeTokens(
  deps: RevocationDeps,
  tokens: readonly InstallationToken[],
  { deadlineMs, host, isDemanded }: { deadlineMs: number; host: string; isDemanded: boolean },
): Promise<{ revoked: Revoked[]; warnings: string[] }> {
  const untilMs = Math.min(deadlineMs, deps.clock.elapsedMs() + longestTriesMs);
  const revoked: Revoked[] = [];
  const warnings: string[] = [];
  for (const token of tokens) {
    try {
      const outcome = await retry(deps, { deadlineMs: untilMs }, async () =>
        revokeToken(deps.request, { token: token.secret, host }),
      );
      revoked.push({ token, outcome });
    } catch (thrown) {
      const error = toGhauthError(thrown);
      if (isDemanded || error.isTransient) throw notRevoked(error);
      warnings.push(`warning: ${error.message.replace(/\.$/, "")}`);
    }
    warnings.push(...settleMark(token, deps));
  }
  return { revoked, warnings };
}

function notRevoked(error: GhauthError): GhauthError {
  const { retryAfterMs } = error;
  return new GhauthError(error.code, `The token could not be revoked: ${error.message}`, {
    cause: error,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** It works no more, or GitHub was asked in vain: the next refresh need not ask again. */
function settleMark({ secret }: InstallationToken, { refusedTokens }: Marks): string[] {
  try {
    if (isToBeRevoked(secret, refusedTokens)) markRevoked(secret, refusedTokens);
    return [];
  } catch (error) {
    return [`warning: the revoked token's mark in ${refusedTokens} cannot be written: ${messageOf(error)}`];
  }
}

/** What became of them, in sentences with a space behind each. */
export function describeRevoked(revoked: readonly Revoked[]): string {
  return revoked
    .map(({ token, outcome }) => {
      const name = `Token ${prefixOf(token)}… (sha256 ${token.secret.fingerprint})`;
      return outcome === "revoked"
        ? `${name} was revoked at GitHub. `
        : `${name} had ended before it was revoked. `;
    })
    .join("");
}

/** What failed after tokens were revoked, which is to be told all the same. */
export function failAfter(revoked: readonly Revoked[], thrown: unknown): GhauthError {
  const error = toGhauthError(thrown);
  if (revoked.length === 0) return error;
  return new GhauthError(error.code, `${describeRevoked(revoked)}${error.message}`, { cause: error });
}

/** A source that keeps tokens may give a revoked one again for a while, as a broker does for some seconds. */
export function refuseRevoked<T extends InstallationToken>(token: T, revoked: readonly Revoked[]): T {
  if (!revoked.some(({ token: { secret } }) => secret.reveal() === token.secret.reveal())) return token;
  throw new GhauthError("source_unavailable", "The source still gives the token that was revoked.");
}
