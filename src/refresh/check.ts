import { GhauthError, toGhauthError } from "../errors.js";
import { checkToken } from "../github/check-token.js";
import { adoptProxy, readRefreshSettings } from "../source/settings.js";
import { createTokenSource } from "../source/token-source.js";
import type { Clock } from "../system/clock.js";
import { displayPath, resolvePaths } from "../system/paths.js";
import { redact } from "../token/redact.js";
import type { RateLimit } from "../token/refresh-log.js";
import { readTokenFile, type TokenFile } from "../token/token-file.js";
import { millisecondsLeft } from "../token/judge-token-file.js";
import { type Connection, connect } from "./connection.js";
import { parseRefreshConfig, type RefreshConfig } from "./refresh-config.js";

/** What `--check` prints: seconds that GitHub's clock is ahead of this host's; null is what could not be learned. */
export type Check = {
  ok: boolean;
  sentence: string;
  clock_offset_seconds: number | null;
  rate_limit: RateLimit | null;
  /** How many are in reach of the held token. */
  repositories: number | null;
  permissions: Record<string, string> | null;
};

export type CheckDeps = { clock: Clock; env: Record<string, string | undefined> };

/** Tries all that the next refresh needs, and the token that is held, at once; mints and changes nothing. Never rejects. */
export async function check(deps: CheckDeps): Promise<{ check: Check; exit: number }> {
  try {
    const paths = resolvePaths(deps.env);
    const settings = readRefreshSettings(deps.env, paths);
    adoptProxy(settings, deps.env);
    const config = parseRefreshConfig(settings, paths);
    const held = readTokenFile(config.tokenEnvFile);
    const connection = connect(deps, config);
    const place = displayPath(config.tokenEnvFile, paths.home);
    const parts = await Promise.all([
      settle(async () => checkSource(connection, config)),
      settle(async () => checkHeld(connection, { held, place, host: config.apiUrl.host })),
    ]);
    connection.close();
    return summarize(parts, held);
  } catch (thrown) {
    return summarize([{ fault: toGhauthError(thrown) }]);
  }
}

export function reportStoppedCheck(signal: NodeJS.Signals): { check: Check; exit: number } {
  return summarize([
    { fault: new GhauthError("stopped", `Stopped by ${signal} before the check was done.`) },
  ]);
}

/** What one part found: what is wrong, or a clause that says what works. */
type Part = {
  fault?: GhauthError | null;
  works?: string;
  clockOffsetMs?: number | null;
  rateLimit?: RateLimit | null;
  repositories?: number | null;
  permissions?: Record<string, string> | null;
};

async function settle(part: () => Promise<Part>): Promise<Part> {
  try {
    return await part();
  } catch (thrown) {
    return { fault: toGhauthError(thrown) };
  }
}

async function checkSource(connection: Connection, config: RefreshConfig): Promise<Part> {
  const source = await createTokenSource(connection, config);
  try {
    return await source.check();
  } catch (thrown) {
    const error = toGhauthError(thrown);
    return { fault: error.isTransient ? error : ((await source.diagnose?.(error)) ?? error) };
  }
}

const remedy = "run takopi-refresh-github-token";

async function checkHeld(
  { request, clock: { now } }: Connection,
  { held, place, host }: { held: TokenFile; place: string; host: string },
): Promise<Part> {
  if (held.type === "unreadable")
    throw new GhauthError("file_unusable", `The token env file ${place} cannot be read: ${held.reason}.`);
  if (held.type !== "token")
    throw new GhauthError("token_refused", `There is no token in ${place}: ${remedy}.`);
  const leftMs = millisecondsLeft(held, now());
  if (leftMs <= 0) throw new GhauthError("token_refused", `The held token has expired: ${remedy}.`);
  const { fault, ...found } = await checkToken(
    { request, now },
    { token: held.token.secret, which: "The held token", host },
  );
  const minutes = `${Math.floor(leftMs / 60_000)} min left`;
  const calls =
    found.rateLimit && `${found.rateLimit.remaining} of ${found.rateLimit.limit} calls left this hour`;
  const reach = found.repositories === null ? null : `${found.repositories} repositories in reach`;
  return { ...found, fault, works: `the held token works, with ${listOf([minutes, calls, reach])}` };
}

function listOf(items: (string | null)[]): string {
  const given = items.filter((item) => item !== null);
  return given.length < 2 ? given.join("") : `${given.slice(0, -1).join(", ")} and ${given.at(-1)}`;
}

function summarize(parts: readonly Part[], held?: TokenFile): { check: Check; exit: number } {
  const faults = parts.flatMap(({ fault }) => fault ?? []);
  const messages = [...new Set(faults.map(({ message }) => message))];
  const works = parts.flatMap((part) => part.works ?? []).join("; ");
  const sentence = messages.length > 0 ? messages.join(" ") : `All well: ${works}.`;
  const offsetMs = first(parts, "clockOffsetMs");
  return {
    exit: faults.length === 0 ? 0 : Math.max(...faults.map(({ exitCode }) => exitCode)),
    check: {
      ok: faults.length === 0,
      sentence: redact(sentence, held?.type === "token" ? [held.token.secret] : []),
      clock_offset_seconds: offsetMs === null ? null : Math.round(offsetMs / 1000),
      rate_limit: first(parts, "rateLimit"),
      repositories: first(parts, "repositories"),
      permissions: first(parts, "permissions"),
    },
  };
}

/** What the first part that knows it says. */
function first<Name extends keyof Part>(parts: readonly Part[], name: Name): NonNullable<Part[Name]> | null {
  for (const part of parts) {
    const value = part[name];
    if (value !== undefined && value !== null) return value;
  }
  return null;
}
