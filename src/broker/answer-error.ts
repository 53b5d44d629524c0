import { type ErrorCode, type GhauthError, toGhauthError } from "../errors.js";
import { redact } from "../token/secret.js";
import { Refusal } from "./refusal.js";

/** GitHub, or another source, has no token now, and will have one. */
const passing: ReadonlySet<ErrorCode> = new Set([
  "github_unreachable",
  "github_unavailable",
  "rate_limited",
  "token_refused",
  "source_unavailable",
  "refresh_timeout",
]);

const notReached: ReadonlySet<ErrorCode> = new Set([
  "installation_not_found",
  "repository_inaccessible",
  "repository_other_owner",
]);

const unsaidWaitSeconds = 5;

/** What a client is told of a failure; the log has the rest. `repository` is what tokman's route was asked for. */
export function refuse(
  thrown: unknown,
  repository: string | null,
): { refusal: Refusal; error: GhauthError | null } {
  if (thrown instanceof Refusal) return { refusal: thrown, error: null };
  const error = toGhauthError(thrown);
  return { refusal: refusalOf(error, repository), error };
}

function refusalOf(error: GhauthError, repository: string | null): Refusal {
  const { code, message, retryAfterMs } = error;
  if (passing.has(code)) {
    const seconds =
      retryAfterMs === undefined ? unsaidWaitSeconds : Math.max(1, Math.ceil(retryAfterMs / 1000));
    return new Refusal(503, redact(message), seconds);
  }
  if (code === "scope_unavailable") return new Refusal(403, redact(message));
  if (repository !== null && notReached.has(code))
    return new Refusal(400, `Failed to retrieve a token: App is not installed on ${repository}`);
  return new Refusal(500, "token refresh failed");
}
