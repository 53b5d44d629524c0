/** What a code says of a failure, beside its sentence. */
export type Traits = {
  /** 64 wrong usage, 75 transient (try again), 78 a person must change something: sysexits.h's EX_USAGE, EX_TEMPFAIL, EX_CONFIG. */
  exit: 64 | 75 | 78;
  /** The App does not reach what was asked for: it is not installed there, or the repository is not selected. */
  isAbsence?: true;
  /** The tokens that the installation has already have ended, too. */
  endsTokens?: true;
  /** The token that was being tried is no good, and another one must be had. */
  endsNewToken?: true;
  /** It is over one day, but not by asking again within this run. */
  outlastsRun?: true;
  /** Nothing came that is an answer of the API that was asked. */
  isUnanswered?: true;
  /** What a broker's client is told; without it, that the refresh failed. */
  toClient?: "github_away" | "rate_limited" | "no_token_now" | "denied" | "not_granted" | "not_installed";
};

/** Every code, and all that follows from it. */
const codes = {
  usage: { exit: 64 },

  github_unreachable: { exit: 75, isUnanswered: true, toClient: "github_away" },
  github_unavailable: { exit: 75, isUnanswered: true, toClient: "github_away" },
  rate_limited: { exit: 75, toClient: "rate_limited" },
  clock_refused: { exit: 75, outlastsRun: true },
  token_refused: { exit: 75, endsNewToken: true, toClient: "no_token_now" },
  source_unavailable: { exit: 75, toClient: "no_token_now" },
  lock_timeout: { exit: 75 },
  refresh_timeout: { exit: 75, toClient: "no_token_now" },
  stopped: { exit: 75 },
  address_in_use: { exit: 75 },
  write_failed: { exit: 75 },
  already_running: { exit: 75 },
  chat_conflict: { exit: 75 },
  chat_lost: { exit: 75 },
  unexpected: { exit: 75, outlastsRun: true },

  config_invalid: { exit: 78 },
  file_unusable: { exit: 78 },
  script_missing: { exit: 78 },
  script_not_executable: { exit: 78 },
  key_missing: { exit: 78 },
  key_insecure: { exit: 78 },
  key_invalid: { exit: 78 },
  key_mismatch: { exit: 78 },
  app_unknown: { exit: 78 },
  app_id_invalid: { exit: 78 },
  ids_swapped: { exit: 78 },
  bad_credentials: { exit: 78 },
  installation_not_found: { exit: 78, isAbsence: true, endsTokens: true, toClient: "not_installed" },
  installation_suspended: { exit: 78, endsTokens: true },
  repository_inaccessible: { exit: 78, isAbsence: true, endsTokens: true, toClient: "not_installed" },
  repository_other_owner: { exit: 78, toClient: "not_installed" },
  permission_not_granted: { exit: 78, toClient: "not_granted" },
  refused: { exit: 78 },
  source_refused: { exit: 78 },
  tls_untrusted: { exit: 78 },
  chat_token_refused: { exit: 78 },
  scope_unavailable: { exit: 78, toClient: "denied" },
} as const satisfies Record<string, Traits>;

export type ErrorCode = keyof typeof codes;

/** What follows from a code that was written down; null for one that is not known (any more). */
export function traitsOf(code: string): Traits | null {
  return isErrorCode(code) ? codes[code] : null;
}

function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(codes, code);
}

/** A failure as the operator reads it: `code` for programs, `message` is one sentence or two, fit for chat. */
export class GhauthError extends Error {
  override readonly name = "GhauthError";
  readonly code: ErrorCode;
  /** How long GitHub, or a broker, asks us to wait before the next try, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, sentence: string, more: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(sentence, more.cause === undefined ? undefined : { cause: more.cause });
    this.code = code;
    this.retryAfterMs = more.retryAfterMs;
  }

  get traits(): Traits {
    return codes[this.code];
  }

  get exitCode(): Traits["exit"] {
    return this.traits.exit;
  }

  /** Whether trying again later, with nothing changed, can help. */
  get isTransient(): boolean {
    return this.exitCode === 75;
  }
}

/** Anything thrown, as a GhauthError; what was not foreseen becomes `unexpected`, with its message as the sentence. */
export function toGhauthError(thrown: unknown): GhauthError {
  if (thrown instanceof GhauthError) return thrown;
  return new GhauthError("unexpected", `Something unexpected went wrong: ${messageOf(thrown)}`, {
    cause: thrown,
  });
}

export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The system's error code (`ENOENT`, `EACCES`, …) of something thrown, if it has one. */
export function errnoOf(thrown: unknown): string | undefined {
  if (typeof thrown !== "object" || thrown === null || !("code" in thrown)) return undefined;
  return typeof thrown.code === "string" ? thrown.code : undefined;
}
