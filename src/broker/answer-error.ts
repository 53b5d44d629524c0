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

/** What was asked for: the repository of tokman's route, and whether permissions were named. */
type Asked = { repository: string | null; permissions: boolean };

const nothingAsked: Asked = { repository: null, permissions: false };

/** What a client is told of a failure; the log has the rest. */
export function refuse(
  thrown: unknown,
  asked: Asked = nothingAsked,
): { refusal: Refusal; error: GhauthError | null } {
  if (thrown instanceof Refusal) return { refusal: thrown, error: null };
  const error = toGhauthError(thrown);
  return { refusal: refusalOf(error, asked), error };
}

function refusalOf(error: GhauthError, { repository, permissions }: Asked): Refusal {
  const { code, message, retryAfterMs } = error;
  if (passing.has(code)) {
    const seconds =
      retryAfterMs === undefined ? unsaidWaitSeconds : Math.max(1, Math.ceil(retryAfterMs / 1000));
    return new Refusal(503, redact(message), seconds);
  }
  if (code === "scope_unavailable") return new Refusal(403, redact(message));
  // A policy of too much is the operator's mistake; a query of too much is the client's.
  if (permissions && code === "permission_not_granted")
    return new Refusal(403, "The App was not granted the permissions that are asked for.");
  if (repository !== null && notReached.has(code))
    return new Refusal(400, `Failed to retrieve a token: App is not installed on ${repository}`);
  return new Refusal(500, "token refresh failed");
}
