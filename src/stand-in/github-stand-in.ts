import { randomBytes } from "node:crypto";
import { EventEmitter, once } from "node:events";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { problem, type Answer } from "./github-answers.js";
import { createLoopbackListeners, type ListenAddress } from "./loopback-listeners.js";
import { createRefusalQueue, type RefusalOptions } from "./refusal-queue.js";
import { renderRefusal, type Fault, type RefusalName } from "./refusals.js";
import { breakConnection, commonHeaders, sendAnswer } from "./send-answer.js";
import { readCall } from "./stand-in-call.js";
import { answerCall } from "./stand-in-routes.js";
import { createTokenRegister, type RandomBytes, type TokenFormat } from "./stand-in-tokens.js";
import type { StandInApp, StandInInstallation } from "./stand-in-apps.js";
import type { World } from "./stand-in-world.js";

export type { StandInApp, StandInInstallation } from "./stand-in-apps.js";
export type { RefusalName } from "./refusals.js";

/** A request that came in; `path` holds prefix and query, `status` is undefined until an answer goes out. */
export type RecordedRequest = {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
  status: number | undefined;
};

/** The stand-in's GitHub: `now` is its clock, `random` the source of its tokens. */
export type GitHubStandInOptions = {
  apps: StandInApp[];
  installations: StandInInstallation[];
  now?: () => Date;
  random?: RandomBytes;
  tokenFormat?: TokenFormat;
};

/** A GitHub on loopback, and what a test may do to it. */
export type GitHubStandIn = {
  /** Resolves with a base URL, or with the unix socket's path; may be called again for another listener. */
  listen(where?: ListenAddress): Promise<string>;
  /** Ends all listeners and open connections, stalled ones too. */
  close(): Promise<void>;
  /** Every request in the order of arrival. */
  readonly requests: readonly Readonly<RecordedRequest>[];
  /** How many tokens were minted. */
  readonly mints: number;
  /** The tokens that are neither expired nor revoked, oldest first. */
  readonly liveTokens: string[];
  /** Sets GitHub's clock relative to `now`. */
  setClockOffset(ms: number): void;
  setTokenFormat(format: TokenFormat): void;
  /** Refuses the next requests; `replication_lag` instead refuses the first uses of each token minted from now on. */
  refuse(refusal: RefusalName, how?: RefusalOptions): void;
  /** Drops all refusals that are still to come. */
  allow(): void;
  /** Keeps every answer back until the returned function is called. */
  hold(): () => void;
  isLive(token: string): boolean;
  revoke(token: string): void;
  suspend(installationId: number, suspended?: boolean): void;
};

const forbiddenWithoutUserAgent: Answer = {
  status: 403,
  headers: { "content-type": "text/html; charset=utf-8" },
  body:
    "\r\nRequest forbidden by administrative rules. Please make sure your request has a User-Agent header " +
    "(https://docs.github.com/en/rest/overview/resources-in-the-rest-api#user-agent-required). " +
    "Check https://developer.github.com for other possible causes.\r\n",
};

/** Creates a GitHub that knows these apps and installations; it answers once `listen` was called. */
export function createGitHubStandIn(options: GitHubStandInOptions): GitHubStandIn {
  const { apps, now: hostNow = () => new Date(), random = randomBytes, tokenFormat = "long" } = options;
  const installations = options.installations.map((installation) => ({ ...installation }));
  const requests: RecordedRequest[] = [];
  const refusals = createRefusalQueue();
  const gates = new Set<Promise<unknown>>();
  let clockOffsetMs = 0;
  const now = () => new Date(hostNow().getTime() + clockOffsetMs);
  const tokens = createTokenRegister({ now, random });
  tokens.setFormat(tokenFormat);
  const world: World = { now, apps, installations, tokens };

  const decide = (request: IncomingMessage, body: string): Answer | Fault => {
    if (request.headers["user-agent"] === undefined) return forbiddenWithoutUserAgent;
    const call = readCall(request, body);
    const due = refusals.take(call.path);
    return due === undefined ? answerCall(world, call) : renderRefusal(due.name, due.details, now());
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url: path = "", headers } = request;
    const body = await text(request);
    const record: RecordedRequest = { method, path, headers, body, status: undefined };
    requests.push(record);
    await Promise.all(gates);
    const outcome = decide(request, body);
    const common = commonHeaders(now(), requests.length);
    if ("fault" in outcome) return breakConnection(response, outcome, common);
    record.status = outcome.status;
    sendAnswer(response, outcome, common);
  };

  const listeners = createLoopbackListeners((request, response) => {
    handle(request, response).catch((error: unknown) => {
      if (!response.headersSent) sendAnswer(response, problem(500, String(error)), {});
    });
  });

  return {
    listen: (where = {}) => listeners.listen(where),
    close: () => listeners.close(),
    requests,
    get mints() {
      return tokens.mints;
    },
    get liveTokens() {
      return tokens.live().map(({ token }) => token);
    },
    setClockOffset(ms) {
      clockOffsetMs = ms;
    },
    setTokenFormat: (format) => tokens.setFormat(format),
    refuse(refusal, how = {}) {
      if (refusal === "replication_lag") tokens.setLag(how.times ?? 1);
      else refusals.add(refusal, how);
    },
    allow() {
      refusals.clear();
      tokens.endLag();
    },
    hold() {
      const gate = new EventEmitter();
      const opened = once(gate, "open");
      gates.add(opened);
      return () => {
        gates.delete(opened);
        gate.emit("open");
      };
    },
    isLive: (token) => tokens.find(token) !== undefined,
    revoke: (token) => tokens.revoke(token),
    suspend(installationId, suspended = true) {
      const installation = installations.find(({ id }) => id === installationId);
      if (installation === undefined) throw new Error(`no installation ${installationId}`);
      installation.suspended = suspended;
    },
  };
}
