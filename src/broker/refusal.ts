import { type GhauthError, toGhauthError, type Traits } from "../errors.js";
import { redact } from "../token/secret.js";

/** A request that is answered with `{"error"}`; the sentence is for the client to read. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 403 | 404 | 500 | 503;
  readonly retryAfterSeconds: number | null;

  constructor(status: Refusal["status"], sentence: string, retryAfterSeconds: number | null = null) {
    super(sentence);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

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

function refusalOf(error: GhauthError, asked: Asked): Refusal {
  const { toClient } = error.traits;
  return (toClient && answers[toClient](error, asked)) ?? new Refusal(500, "token refresh failed");
}

/** What each kind of failure is answered with; null where the client had no part in it. */
const answers: Record<
  NonNullable<Traits["toClient"]>,
  (error: GhauthError, asked: Asked) => Refusal | null
> = {
  try_later: (error) => new Refusal(503, redact(error.message), waitSeconds(error)),
  denied: ({ message }) => new Refusal(403, redact(message)),
  // A policy of too much is the operator's mistake; a query of too much is the client's.
  not_granted: (_, { permissions }) =>
    permissions ? new Refusal(403, "The App was not granted the permissions that are asked for.") : null,
  not_installed: (_, { repository }) =>
    repository === null
      ? null
      : new Refusal(400, `Failed to retrieve a token: App is not installed on ${repository}`),
};

function waitSeconds({ retryAfterMs }: GhauthError): number {
  return retryAfterMs === undefined ? unsaidWaitSeconds : Math.max(1, Math.ceil(retryAfterMs / 1000));
}
