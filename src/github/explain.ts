import { type ErrorCode, GhauthError } from "../errors.js";
import { isObject, parseDate } from "../files/json.js";
import type { GitHubAnswer } from "./github-api.js";
import { nameOf, type SettingNames } from "./operator-names.js";

/** What was asked, for sentences that name it. */
export type Asked = { host: string; appId: string; installationId?: string; names?: SettingNames };

type Refusal = { status: number; message: string; asked: Asked };
type Row = { status?: number; message: RegExp; code: ErrorCode; sentence: (refusal: Refusal) => string };

/** GitHub's refusals by their status and message, each with what is wrong and what to do about it. */
const rows: Row[] = [
  {
    status: 401,
    message: /JSON web token could not be decoded/i,
    code: "key_mismatch",
    sentence: ({ asked }) =>
      `GitHub cannot verify the App JWT: the private key is not App ${asked.appId}'s, was deleted there, or is damaged. Generate a new private key in the App's settings and install that, or correct ${nameOf("GITHUB_APP_ID", asked.names)}.`,
  },
  {
    status: 401,
    message: /'Expiration time' claim|'Issued at' claim/i,
    code: "clock_refused",
    sentence: () =>
      "GitHub refuses the time in the App JWT even by its own clock: set this host's clock (timedatectl) and try again.",
  },
  {
    status: 401,
    message: /'Issuer' claim/i,
    code: "app_id_invalid",
    sentence: ({ asked }) =>
      `GitHub does not take ${JSON.stringify(asked.appId)} as an App's ID: set ${nameOf("GITHUB_APP_ID", asked.names)} to the App ID or client ID on the App's settings page.`,
  },
  {
    status: 401,
    message: /Bad credentials/i,
    code: "bad_credentials",
    sentence: ({ asked }) =>
      `${asked.host} does not know these credentials: check that GITHUB_API_URL is the server where App ${asked.appId} is registered.`,
  },
  {
    message: /Integration not found/i,
    code: "app_unknown",
    sentence: ({ asked }) =>
      `${asked.host} has no App ${asked.appId}: correct ${nameOf("GITHUB_APP_ID", asked.names)}, or GITHUB_API_URL if the App is on another server.`,
  },
  {
    status: 403,
    message: /installation has been suspended/i,
    code: "installation_suspended",
    sentence: ({ asked }) => suspended(asked).message,
  },
  {
    status: 404,
    message: /Not Found/i,
    code: "installation_not_found",
    sentence: ({ asked }) =>
      `App ${asked.appId} has no installation ${asked.installationId ?? ""}: it was uninstalled, or the ID is another App's. Correct ${nameOf("GITHUB_APP_INSTALLATION_ID", asked.names)}.`,
  },
  {
    status: 422,
    message: /repository that does not exist or is not accessible/i,
    code: "repository_inaccessible",
    sentence: ({ asked }) =>
      `A repository in ${nameOf("GITHUB_APP_REPOSITORIES", asked.names)} does not exist or is not selected for installation ${asked.installationId ?? ""}: correct the name, or select it in the installation's settings.`,
  },
  {
    status: 422,
    message: /permissions requested are not granted/i,
    code: "permission_not_granted",
    sentence: ({ asked }) =>
      `GITHUB_APP_PERMISSIONS asks for more than installation ${asked.installationId ?? ""} was granted: add the permission in the App's settings and have the owner approve it, or ask for less.`,
  },
];

export function suspended({ appId, installationId = "" }: Asked): GhauthError {
  return new GhauthError(
    "installation_suspended",
    `Installation ${installationId} of App ${appId} is suspended: its owner must unsuspend it (Settings, Applications, Configure).`,
  );
}

/** A refusal of GitHub's as an error: its sentence, whether it is transient, and how long to wait if GitHub said so. */
export function explainRefusal(answer: GitHubAnswer, asked: Asked): GhauthError {
  const { status } = answer;
  const message = messageIn(answer.json);
  if (isRateLimit(answer)) return explainRateLimit(answer, asked);
  if (status === 407) {
    return new GhauthError(
      "config_invalid",
      `The proxy before ${asked.host} wants credentials (HTTP 407): put them into HTTPS_PROXY.`,
    );
  }
  if (status >= 500 || message === undefined) {
    const what = status >= 500 ? `HTTP ${status}` : `HTTP ${status} with something that is not GitHub's JSON`;
    const also = status >= 500 ? "" : ", or GITHUB_API_URL is not its API";
    return new GhauthError(
      "github_unavailable",
      `${asked.host} answered ${what}: GitHub, or a proxy before it, is in trouble${also}.`,
      retryAfterOf(answer),
    );
  }
  const row = rows.find(
    (candidate) => (candidate.status ?? status) === status && candidate.message.test(message),
  );
  if (row) return new GhauthError(row.code, row.sentence({ status, message, asked }));
  return new GhauthError(
    "refused",
    `${asked.host} refused with HTTP ${status} (${quote(message)}): see what the App's settings and its owner's rules say about it.`,
  );
}

/** Whether GitHub refuses the App JWT for its times, or in a way that a wrong time can cause: worth one more signature. */
export function isClockRefusal({ status, json }: GitHubAnswer): boolean {
  return (
    status === 401 &&
    /'Expiration time' claim|'Issued at' claim|^Bad credentials/i.test(messageIn(json) ?? "")
  );
}

function messageIn(json: unknown): string | undefined {
  const message = isObject(json) ? json["message"] : undefined;
  return typeof message === "string" ? message : undefined;
}

const longestQuote = 200;

function quote(message: string): string {
  return message.replaceAll(/\s+/g, " ").trim().slice(0, longestQuote);
}

/** Whether an answer says nothing but that we ask too often. */
export function isRateLimit({ status, headers, json }: GitHubAnswer): boolean {
  if (status === 429) return true;
  if (status !== 403) return false;
  return (
    headers["retry-after"] !== undefined ||
    headers["x-ratelimit-remaining"] === "0" ||
    /rate limit/i.test(messageIn(json) ?? "")
  );
}

/** https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api: a minute, where nothing is said. */
const unsaidWaitMs = 60_000;

function explainRateLimit(answer: GitHubAnswer, asked: Asked): GhauthError {
  const retryAfterMs = retryAfterOf(answer).retryAfterMs ?? unsaidWaitMs;
  return new GhauthError(
    "rate_limited",
    `${asked.host} limits our rate and asks to wait ${Math.ceil(retryAfterMs / 1000)} s.`,
    { retryAfterMs },
  );
}

/** `retry-after` in seconds or as a date, else `x-ratelimit-reset` when nothing remains; instants are on GitHub's clock. */
export function retryAfterOf({ headers, date }: Pick<GitHubAnswer, "headers" | "date">): {
  retryAfterMs?: number;
} {
  const after = headers["retry-after"];
  if (after !== undefined && /^\d+$/.test(after)) return { retryAfterMs: Number(after) * 1000 };
  const reset = Number(headers["x-ratelimit-remaining"] === "0" ? headers["x-ratelimit-reset"] : Number.NaN);
  const until = parseDate(after)?.getTime() ?? reset * 1000;
  if (Number.isNaN(until) || !date) return {};
  return { retryAfterMs: Math.max(0, until - date.getTime()) };
}
