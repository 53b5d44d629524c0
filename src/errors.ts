/**
 * What can go wrong, and what it means to a caller: 64 wrong usage, 75 it may pass (try again),
 * 78 a person must change something (the names are sysexits.h's: EX_USAGE, EX_TEMPFAIL, EX_CONFIG).
 */
const exitCodes = {
  usage: 64,

  github_unreachable: 75,
  github_unavailable: 75,
  rate_limited: 75,
  clock_refused: 75,
  token_refused: 75,
  source_unavailable: 75,
  lock_timeout: 75,
  refresh_timeout: 75,
  stopped: 75,
  address_in_use: 75,
  write_failed: 75,
  already_running: 75,
  chat_conflict: 75,
  chat_lost: 75,
  unexpected: 75,

  config_invalid: 78,
  file_unusable: 78,
  script_missing: 78,
  script_not_executable: 78,
  key_missing: 78,
  key_insecure: 78,
  key_invalid: 78,
  key_mismatch: 78,
  app_unknown: 78,
  app_id_invalid: 78,
  ids_swapped: 78,
  bad_credentials: 78,
  installation_not_found: 78,
  installation_suspended: 78,
  repository_inaccessible: 78,
  repository_other_owner: 78,
  permission_not_granted: 78,
  refused: 78,
  source_refused: 78,
  tls_untrusted: 78,
  chat_token_refused: 78,
  scope_unavailable: 78,
} as const;

export type ErrorCode = keyof typeof exitCodes;

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

  get exitCode(): 64 | 75 | 78 {
    return exitCodes[this.code];
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
