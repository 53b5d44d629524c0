import { createHash, randomUUID } from "node:crypto";
import { createClient } from "@redis/client";
import { messageOf } from "../errors.js";
import { isObject, parseJson } from "../files/json.js";
import { withinTime } from "../system/within-time.js";
import { isTokenText } from "../token/installation-token.js";
import { redact, Secret } from "../token/secret.js";
import { isoSeconds } from "../token/token-file.js";
import { type HeldToken, lifeLeft } from "./held-token.js";
import type { Seal } from "./token-seal.js";
import type { TokenStore, Unlock } from "./token-store.js";

export type RedisStoreDeps = {
  seal: Seal;
  now: () => Date;
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

const deleteIfOurs =
  'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("del",KEYS[1]) end return 0';
const keepIfOurs =
  'if redis.call("get",KEYS[1])==ARGV[1] then return redis.call("pexpire",KEYS[1],ARGV[2]) end return 0';

/**
 * Tokens and mint locks in Redis. Its keys are hashes and its values are sealed, so that it learns no name and no
 * token; a token's life is Redis' own time to live, so that no two hosts need agree on the time.
 */
export async function openRedisStore(
  { seal, now, onChange }: RedisStoreDeps,
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

  return {
    read: async (key) => {
      const name = nameOf("token", key);
      const [sealed, ttlMs] = await ask(Promise.all([client.get(name), client.pTTL(name)]));
      const opened = sealed === null || ttlMs <= 0 ? null : seal.open(sealed, name);
      return opened === null ? null : parseHeld(opened, new Date(now().getTime() + ttlMs));
    },
    write: async (key, token) => {
      const name = nameOf("token", key);
      const leftMs = Math.floor(lifeLeft(token, now()));
      if (leftMs <= 0) return;
      const { lifeMs, expiry } = token;
      const text = JSON.stringify({
        token: token.secret.reveal(),
        life_ms: lifeMs,
        is_expiry_known: expiry !== null,
      });
      await ask(client.set(name, seal.seal(text, name), { expiration: { type: "PX", value: leftMs } }));
    },
    lock: async (key) => {
      const name = nameOf("lock", key);
      const ours = randomUUID();
      const options = { condition: "NX", expiration: { type: "PX", value: lockMs } } as const;
      if ((await ask(client.set(name, ours, options))) === null) return null;
      return keepLock(async (script, ...more) =>
        ask(client.eval(script, { keys: [name], arguments: [ours, ...more] })),
      );
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
    await run(deleteIfOurs);
  };
}

function nameOf(what: "token" | "lock", key: string): string {
  return `ghauth:${what}:${createHash("sha256").update(key).digest("hex")}`;
}

function parseHeld(text: string, expiresAt: Date): HeldToken | null {
  const json = parseJson(text);
  if (!isObject(json)) return null;
  const { token, life_ms: lifeMs, is_expiry_known: isExpiryKnown } = json;
  if (typeof token !== "string" || !isTokenText(token)) return null;
  if (typeof lifeMs !== "number" || typeof isExpiryKnown !== "boolean") return null;
  const secret = new Secret(token);
  const expiry = isExpiryKnown ? isoSeconds(expiresAt) : null;
  return { secret, expiresAt, lifeMs, expiry, fingerprint: secret.fingerprint };
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
