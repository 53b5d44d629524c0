import { createHash, randomUUID } from "node:crypto";
import { createClient } from "@redis/client";
import { messageOf } from "../errors.js";
import { isObject, parseJson } from "../files/json.js";
import { withinTime } from "../system/within-time.js";
import { isTokenText } from "../token/installation-token.js";
import { redact } from "../token/redact.js";
import { Secret } from "../token/secret.js";
import { lifeLeft } from "./held-token.js";
import type { Seal } from "./token-seal.js";
import type { StoredToken, TokenStore, Unlock } from "./token-store.js";

export type RedisStoreDeps = {
  seal: Seal;
  now: () => Date;
  gitHubNow: () => Date;
  /** Told when the store is lost, with the reason, and when it is back, with null. */
  onChange: (lostBecause: string | null) => void;
};

export type RedisAddress = { url: URL; username?: string | undefined; password?: string | undefined };

const commandTimeoutMs = 500;
const connectTimeoutMs = 1000;
const longestReconnectMs = 1000;
/** A lock outlives its broker by this; while it mints, it is kept. */
const lockMs = 3000;
const keepLockMs = 1000;

const deleteIfSame =
  'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) end return 0';
const keepIfOurs =
  'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("pexpire",KEYS[1],ARGV[2]) end return 0';
/** A lock that lasts longer than any broker's is nobody's. */
const takeLock =
  'local ttl=redis.call("pttl",KEYS[1]) if ttl==-1 or ttl>tonumber(ARGV[2]) then redis.call("del",KEYS[1]) end ' +
  'return redis.call("set",KEYS[1],ARGV[1],"NX","PX",ARGV[2])';

/**
 * Tokens and mint locks in Redis. Its keys are hashes and its values are sealed, so that it learns no name and no
 * token. The expiry is sealed too, on GitHub's clock, so that no two hosts need agree on the time.
 */
export async function openRedisStore(
  { seal, now, gitHubNow, onChange }: RedisStoreDeps,
  { url, username, password }: RedisAddress,
): Promise<TokenStore> {
  const client = createClient({
    url: url.href,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    disableOfflineQueue: true,
    socket: {
      connectTimeout: connectTimeoutMs,
      reconnectStrategy: (tries) => Math.min(longestReconnectMs, 50 * 2 ** Math.min(tries, 10)),
    },
  });
  let isReached = true; // so that the first failure is told
  const tell = (lostBecause: string | null) => {
    if (isReached === (lostBecause === null)) return;
    isReached = lostBecause === null;
    onChange(lostBecause);
  };
  client.on("error", (error: unknown) => tell(redact(messageOf(error)) || "the connection was cut"));
  client.on("ready", () => tell(null));
  // It goes on trying by itself; a broker does not wait for it longer than this.
  client.connect().catch((error: unknown) => tell(redact(messageOf(error))));
  await answerOf(waitUntilReady(client), connectTimeoutMs).catch(() => tell("it does not answer"));

  const ask = async <T>(command: Promise<T>): Promise<T> => {
    try {
      const answer = await answerOf(command, commandTimeoutMs);
      tell(null);
      return answer;
    } catch (error) {
      tell(redact(messageOf(error)));
      throw error;
    }
  };

  const runScript =
    (script: string, name: string, ours: string) =>
    async (...more: string[]) =>
      ask(client.eval(script, { keys: [name], arguments: [ours, ...more] }));

  return {
    read: async (key) => {
      const name = nameOf("token", key);
      const [sealed, timeToLiveMs] = await ask(Promise.all([client.get(name), client.pTTL(name)]));
      const opened = sealed === null || timeToLiveMs <= 0 ? null : seal.open(sealed, name);
      return opened === null ? null : parseStored(opened, timeToLiveMs);
    },
    write: async (key, token) => {
      const name = nameOf("token", key);
      const leftMs = Math.floor(lifeLeft(token, now()));
      if (leftMs <= 0) return;
      const { lifeMs, expiry } = token;
      const text = JSON.stringify({
        token: token.secret.reveal(),
        expires_at_ms: gitHubNow().getTime() + leftMs,
        life_ms: lifeMs,
        is_expiry_known: expiry !== null,
      });
      await ask(client.set(name, seal.seal(text, name), { expiration: { type: "PX", value: leftMs } }));
    },
    drop: async (key, token) => {
      const name = nameOf("token", key);
      const sealed = await ask(client.get(name));
      const opened = sealed === null ? null : seal.open(sealed, name);
      if (sealed === null || opened === null) return;
      if (parseStored(opened, 0)?.secret.reveal() === token.reveal())
        await runScript(deleteIfSame, name, sealed)();
    },
    lock: async (key) => {
      const name = nameOf("lock", key);
      const ours = randomUUID();
      if ((await runScript(takeLock, name, ours)(String(lockMs))) === null) return null;
      return keepLock(async (script, ...more) => runScript(script, name, ours)(...more));
    },
    isReached: () => isReached,
    close: async () => {
      client.removeAllListeners("error").on("error", () => {});
      client.destroy();
    },
  };
}

function keepLock(run: (script: string, ...more: string[]) => Promise<unknown>): Unlock {
  // Where Redis is gone, so is the lock; who mints with it is told by the next command.
  const keep = setInterval(() => void run(keepIfOurs, String(lockMs)).catch(() => {}), keepLockMs);
  return async () => {
    clearInterval(keep);
    await run(deleteIfSame);
  };
}

/** Brokers of another format have their own keys: they share nothing that they read differently. */
const formatVersion = 2;

function nameOf(what: "token" | "lock", key: string): string {
  return `ghauth:${formatVersion}:${what}:${createHash("sha256").update(key).digest("hex")}`;
}

function parseStored(text: string, timeToLiveMs: number): StoredToken | null {
  const json = parseJson(text);
  if (!isObject(json)) return null;
  const { token, expires_at_ms: expiresAtMs, life_ms: lifeMs, is_expiry_known: isExpiryKnown } = json;
  if (typeof token !== "string" || !isTokenText(token)) return null;
  if (typeof expiresAtMs !== "number" || typeof lifeMs !== "number" || typeof isExpiryKnown !== "boolean")
    return null;
  return { secret: new Secret(token), expiresAt: new Date(expiresAtMs), lifeMs, isExpiryKnown, timeToLiveMs };
}

async function waitUntilReady(client: {
  isReady: boolean;
  once: (event: "ready", then: () => void) => unknown;
}) {
  if (!client.isReady) await new Promise<void>((resolve) => void client.once("ready", resolve));
}

/** A Redis that hangs is a Redis that is gone. */
async function answerOf<T>(work: Promise<T>, ms: number): Promise<T> {
  return withinTime(work, ms, () => new Error(`no answer in ${ms} ms`));
}
