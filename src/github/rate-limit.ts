import type { RateLimit } from "../token/refresh-log.js";
import { isoSeconds } from "../token/token-file.js";
import type { GitHubAnswer } from "./github-api.js";

/**
 * What the headers of an answer say of the rate limit, or null where they say nothing
 * (https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api). `now` is this host's time, on whose
 * clock the instant is put.
 */
export function rateLimitOf(
  { headers, date }: Pick<GitHubAnswer, "headers" | "date">,
  now: Date,
): RateLimit | null {
  const [limit, remaining, reset] = ["limit", "remaining", "reset"].map((name) =>
    wholeNumber(headers[`x-ratelimit-${name}`]),
  );
  if (limit === undefined || remaining === undefined || reset === undefined) return null;
  const clockOffsetMs = date ? date.getTime() - now.getTime() : 0;
  return { limit, remaining, reset_at: isoSeconds(new Date(reset * 1000 - clockOffsetMs)) };
}

function wholeNumber(text: string | string[] | undefined): number | undefined {
  return typeof text === "string" && /^\d{1,11}$/.test(text) ? Number(text) : undefined;
}
