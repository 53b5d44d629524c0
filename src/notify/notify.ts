import { hostname } from "node:os";
import { GhauthError, messageOf } from "../errors.js";
import { takeFileLock } from "../files/file-lock.js";
import { explainWrite } from "../files/write-failure.js";
import type { Log } from "../log/log.js";
import type { Clock } from "../system/clock.js";
import { type Environment, resolvePaths } from "../system/paths.js";
import { withinTime } from "../system/within-time.js";
import { readLockHolder } from "../takopi/instance-lock.js";
import type { TakopiConfig } from "../takopi/takopi-config.js";
import type { AlertPlace, TransportDescriptor } from "../takopi/transport.js";
import { readRefreshLog } from "../token/refresh-log.js";
import type { Secret } from "../token/secret.js";
import { renderAlert } from "./alert-page.js";
import { parseAlertSettings } from "./alert-settings.js";
import { type Decision, decide } from "./decide.js";
import { sendHeartbeats, untoldEntries } from "./heartbeat.js";
import { type Memory, readMemory, writeMemory } from "./memory.js";
import { explainVariable, findPlaces } from "./places.js";

export type NotifyDeps = {
  descriptors: readonly TransportDescriptor[];
  env: Environment;
  clock: Clock;
  log: Log;
  /** Bot tokens are added to it as they are read, so that the log knows them. */
  secrets: Secret[];
};

/** What a chat may take; the next failed run is a minute away. */
const postLimitMs = 30_000;
const lockLimitMs = 45_000;

/**
 * Looks at the refresh log once: sends heartbeats, and tells each chat of the configuration what is new, in one message at
 * most. Resolves with 0, or with 78 where settings are wrong; a chat out of reach is told at the next run. Rejects where
 * what was told cannot be remembered: then nothing was.
 */
export async function notify(deps: NotifyDeps, config: TakopiConfig): Promise<number> {
  const { descriptors, env, log } = deps;
  const keys = descriptors.flatMap(({ alerts }) => alerts?.keys ?? []);
  const settings = parseAlertSettings(config, keys);
  const { places, faults } = findPlaces(config, { descriptors, table: settings.table });
  for (const { message } of faults) log.error("alert.misconfigured", { message });
  const chats = settings.isEnabled ? places.map(({ name }) => name) : [];
  const exitCode = faults.length > 0 ? 78 : 0;
  if (chats.length === 0 && settings.heartbeatUrl === null) return exitCode; // nobody is told, and nothing left behind
  const paths = resolvePaths(env);
  const lock = await takeFileLock(`${paths.alerts}.lock`, {
    timeoutMs: lockLimitMs,
    whenHeld: () =>
      new GhauthError("lock_timeout", "Another ghauth notify is still at work: try again later."),
  });
  try {
    const entries = readRefreshLog(paths.refreshLog);
    const memory = readMemory(paths.alerts);
    const untold = untoldEntries(entries, memory.heartbeatFor);
    const heartbeat = settings.heartbeatUrl
      ? sendHeartbeats(settings.heartbeatUrl, untold, log)
      : Promise.resolve(null);
    const decided = decide({ entries, memory, chats, now: deps.clock.now(), settings });
    let remembered = rememberTold(decided);
    try {
      save(paths.alerts, remembered); // before anything is sent: nothing is ever told twice
      const sent = await Promise.all(
        decided.decisions.map(async (decision) => {
          const place = places.find(({ name }) => name === decision.chat);
          return place !== undefined && tell(place, decision, { deps, config, mentions: settings.mentions });
        }),
      );
      for (const [index, { chat, ifMissed }] of decided.decisions.entries())
        if (!sent[index]) remembered = withChat(remembered, chat, ifMissed);
    } finally {
      remembered = { ...remembered, heartbeatFor: (await heartbeat) ?? memory.heartbeatFor };
    }
    save(paths.alerts, remembered);
    return exitCode;
  } finally {
    lock.release();
  }
}

function rememberTold({ memory, decisions }: { memory: Memory; decisions: Decision[] }): Memory {
  let remembered = memory;
  for (const { chat, ifTold } of decisions) remembered = withChat(remembered, chat, ifTold);
  return remembered;
}

function withChat(memory: Memory, chat: string, chatMemory: Memory["chats"][string]): Memory {
  return { ...memory, chats: { ...memory.chats, [chat]: chatMemory } };
}

function save(path: string, memory: Memory): void {
  try {
    writeMemory(path, memory);
  } catch (error) {
    throw explainWrite(error, "What the chats were told,", path);
  }
}

/** Whether the message went out. */
async function tell(
  place: AlertPlace,
  { alert }: Decision,
  { deps, config, mentions }: { deps: NotifyDeps; config: TakopiConfig; mentions: boolean },
): Promise<boolean> {
  const { env, clock, log, secrets } = deps;
  const fields = { place: place.name, type: alert.type };
  try {
    const { botToken, post } = place.open(env);
    secrets.push(botToken);
    // Takopi answers no button of ours.
    const hasButtons = readLockHolder(config.path)?.isOurs === true;
    const reply = renderAlert(alert, { hostName: hostname(), now: clock.now(), hasButtons, secrets });
    const announcement = { reply, command: "ghauth", mentions };
    await withinTime(post(announcement), postLimitMs, () => new Error("it did not answer in time"));
    log.info("alert.sent", fields);
    return true;
  } catch (error) {
    const { variable } = place;
    const isLacking = variable !== null && !env[variable];
    const message = isLacking ? ` ${explainVariable(variable)}` : "";
    log.error("alert.failed", { ...fields, message: `${messageOf(error)}${message}` });
    return false;
  }
}
