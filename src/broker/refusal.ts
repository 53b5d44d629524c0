import { type GhauthError, toGhauthError, type Traits } from "../errors.js";

type Status = 400 | 401 | 403 | 404 | 429 | 500 | 503;

/** A request that is answered with `{"error"}`; the sentence is for the client to read, `error` for the log. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: Status;
  readonly retryAfterSeconds: number | null;
  readonly error: GhauthError | null;

  constructor(
    status: Status,
    sentence: string,
    { retryAfterMs, error = null }: { retryAfterMs?: number; error?: GhauthError | null } = {},
  ) {
    super(sentence);
    this.status = status;
    this.retryAfterSeconds = retryAfterMs === undefined ? null : Math.max(1, Math.ceil(retryAfterMs / 1000));
    this.error = error;
  }

  /** Whether the question is refused for what it asks; else an answer may come later, or from another broker. */
  get isClientsFault(): boolean {
    return this.status < 500;
  }
}

/** What was asked for: the repository of tokman's route, and whether the query named repositories and permissions. */
export type Asked = { repository: string | null; repositories: boolean; permissions: boolean };

const nothingAsked: Asked = { repository: null, repositories: false, permissions: false };

/**
 * What a client is told of a failure: a sentence of ours for its kind. What GitHub, a command or another broker said
 * is for the log alone.
 */
export function refuse(thrown: unknown, asked: Asked = nothingAsked): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const error = toGhauthError(thrown);
  const { toClient } = error.traits;
  return (toClient && answers[toClient](error, asked)) ?? new Refusal(500, "token refresh failed", { error });
}

const unsaidWaitMs = 5000;

const later =
  (sentence: string) =>
  (error: GhauthError): Refusal =>
    new Refusal(503, sentence, { retryAfterMs: error.retryAfterMs ?? unsaidWaitMs, error });

/** What each kind of failure is answered with; null where the client had no part in it. */
const answers: Record<
  NonNullable<Traits["toClient"]>,
  (error: GhauthError, asked: Asked) => Refusal | null
> = {
  github_away: later("GitHub has no answer now: ask again later"),
  rate_limited: later("GitHub limits our rate: ask again later"),
  no_token_now: later("the token source has no token now: ask again later"),
  // These sentences are the broker's own, and tell the client what else it can ask for.
  denied: (error) => new Refusal(403, error.message, { error }),
  // A policy of too much is the operator's mistake; a query of too much is the client's.
  not_granted: (error, { permissions }) =>
    permissions
      ? new Refusal(403, "The App was not granted the permissions that are asked for.", { error })
      : null,
  not_installed: (error, { repository, repositories }) => {
    if (repository !== null)
      return new Refusal(400, `Failed to retrieve a token: App is not installed on ${repository}`, { error });
    return repositories
      ? new Refusal(403, "The App does not reach all repositories that are asked for.", { error })
      : null;
  },
};
