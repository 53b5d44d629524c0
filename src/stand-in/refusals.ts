import { epochSeconds, problem, Refused, type Answer } from "./github-answers.js";

/** A fault of the connection rather than an answer. */
export type Fault = { fault: "reset" | "stall" | "cut" };

/** What a caller may change in a refusal; each has GitHub's usual value as its default. */
export type RefusalDetails = { status?: number; retryAfterSeconds?: number };

type GitHubRefusalName = keyof typeof githubRefusals;

const mintDocumentation = "/rest/apps/apps#create-an-installation-access-token-for-an-app";

/** GitHub's refusals of what a client asked; the texts are GitHub's own, since clients match on them. */
const githubRefusals = {
  jwt_undecodable: problem(401, "A JSON web token could not be decoded"),
  exp_too_far: problem(401, "'Expiration time' claim ('exp') is too far in the future"),
  exp_not_future: problem(
    401,
    "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
  ),
  iat_invalid: problem(
    401,
    "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
  ),
  issuer_invalid: problem(401, "'Issuer' claim ('iss') must be an Integer"),
  issuer_missing: problem(401, "Missing 'issuer' claim ('iss') in assertion"),
  bad_credentials: problem(401, "Bad credentials"),
  requires_authentication: problem(401, "Requires authentication"),
  integration_not_found: problem(404, "Integration not found"),
  not_found: problem(404, "Not Found", mintDocumentation),
  suspended: problem(403, "This installation has been suspended", mintDocumentation),
  repository_inaccessible: problem(
    422,
    "There is at least one repository that does not exist or is not accessible to the parent installation.",
    mintDocumentation,
  ),
  permission_not_granted: problem(
    422,
    "The permissions requested are not granted to this installation.",
    mintDocumentation,
  ),
} satisfies Record<string, Answer>;

/** What happens without the client's doing: limits, outages, broken connections. */
const outages = {
  /** The answer to the first uses of each token minted meanwhile. */
  replication_lag: () => githubRefusals.bad_credentials,
  rate_limited: ({ status = 403, retryAfterSeconds = 60 }, now) => ({
    ...problem(
      status,
      "API rate limit exceeded for installation.",
      "/rest/overview/rate-limits-for-the-rest-api",
    ),
    headers: {
      "x-ratelimit-remaining": "0",
      "x-ratelimit-used": "5000",
      "x-ratelimit-reset": String(epochSeconds(now) + retryAfterSeconds),
    },
  }),
  secondary_limit: ({ status = 403, retryAfterSeconds = 60 }) => ({
    ...problem(
      status,
      "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.",
      "/free-pro-team@latest/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits",
    ),
    headers: { "retry-after": String(retryAfterSeconds) },
  }),
  server_error: ({ status = 500 }) => ({ status, body: { message: "Server Error" } }),
  html_502: () => ({
    status: 502,
    headers: { "content-type": "text/html" },
    body: "<!DOCTYPE html>\n<html><head><title>Unicorn! &middot; GitHub</title></head><body></body></html>\n",
  }),
  no_token: () => ({ status: 201, body: {} }),
  garbled: ({ status = 201 }) => ({ status, body: '{"token":"ghs_' }),
  oversized: ({ status = 201 }) => ({ status, body: { padding: "x".repeat(2 * 1024 * 1024) } }),
  reset: () => ({ fault: "reset" }),
  stall: () => ({ fault: "stall" }),
  cut: () => ({ fault: "cut" }),
} satisfies Record<string, Outage>;

type Outage = (details: RefusalDetails, now: Date) => Answer | Fault;

/** All that the stand-in can be told to refuse with. */
export type RefusalName = GitHubRefusalName | keyof typeof outages;

/** GitHub's refusal of that name, to be thrown. */
export function refused(name: GitHubRefusalName): Refused {
  return new Refused(githubRefusals[name]);
}

/** What the stand-in does for a refusal on demand; `now` is GitHub's clock. */
export function renderRefusal(name: RefusalName, details: RefusalDetails, now: Date): Answer | Fault {
  if (isOutage(name)) {
    const outage: Outage = outages[name];
    return outage(details, now);
  }
  return githubRefusals[name];
}

function isOutage(name: RefusalName): name is keyof typeof outages {
  return Object.hasOwn(outages, name);
}
