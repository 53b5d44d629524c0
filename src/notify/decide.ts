import type { RefreshLogEntry } from "../token/refresh-log.js";
import type { AlertSettings } from "./alert-settings.js";
import type { ChatMemory, EndedOutage, Memory, ToldOutage } from "./memory.js";
import { isQuiet } from "./quiet-hours.js";
import { assess, endOfOutage, type Situation } from "./situation.js";

/** What a chat is to be told. `ended` are outages that it was told of, and that are over. */
export type Alert =
  | {
      type: "failing";
      outage: NonNullable<Situation["outage"]>;
      needsPerson: boolean;
      diesAt: Date | null;
      ended: EndedOutage[];
    }
  | { type: "recovered"; diesAt: Date | null; ended: EndedOutage[] };

export type Decision = {
  chat: string;
  alert: Alert;
  /** What is to be remembered of the chat once it has been told, and where it could not be reached. */
  ifTold: ChatMemory;
  ifMissed: ChatMemory;
};

type Input = {
  /** The refresh log's, oldest first. */
  entries: readonly RefreshLogEntry[];
  memory: Memory;
  /** The names of the places that are told. */
  chats: readonly string[];
  now: Date;
  settings: Pick<AlertSettings, "quietHours">;
};

const mostADay = 6;
const dayMs = 24 * 3_600_000;
const silent: ChatMemory = { told: null, ended: [], sentAt: [] };

/**
 * What each chat is to be told now, at most one message, and what is to be remembered if none of them is. A chat is told once
 * that a failure needs a person (again for another failure), once that the token is about to die, once that it is dead,
 * and once that all is well again; at most 6 messages in 24 hours, of which the sixth is kept for an outage. In quiet
 * hours all of it waits unless the token is dead.
 */
export function decide({ entries, memory, chats, now, settings }: Input): {
  memory: Memory;
  decisions: Decision[];
} {
  const situation = assess(entries, memory, now);
  const quiet = isQuiet(settings.quietHours, now);
  const decisions: Decision[] = [];
  // A chat that is no longer configured is forgotten.
  const remembered: Record<string, ChatMemory> = {};
  for (const chat of chats) {
    const before = endOutage(trimmed(memory.chats[chat] ?? silent, now), { entries, situation });
    remembered[chat] = before;
    const decided = decideForChat(before, { situation, quiet, now });
    if (decided) decisions.push({ chat, ...decided });
  }
  const { diesAt, outage } = situation;
  return {
    memory: { ...memory, diesAt, failingSince: outage?.since ?? null, chats: remembered },
    decisions,
  };
}

/** Only what was sent within the last 24 hours counts; an instant in the future is a wrong clock's. */
function trimmed(chat: ChatMemory, now: Date): ChatMemory {
  const ageMs = (at: Date) => now.getTime() - at.getTime();
  return { ...chat, sentAt: chat.sentAt.filter((at) => ageMs(at) >= 0 && ageMs(at) < dayMs) };
}

/** What the chat was told of is over where another outage goes on, or none; that is to be told, too. */
function endOutage(
  chat: ChatMemory,
  { entries, situation: { outage } }: { entries: readonly RefreshLogEntry[]; situation: Situation },
): ChatMemory {
  const { told } = chat;
  if (told === null || told.since.getTime() === outage?.since.getTime()) return chat;
  const until = endOfOutage(entries, told.since);
  return { ...chat, told: null, ended: until ? [...chat.ended, { since: told.since, until }] : chat.ended };
}

function decideForChat(
  chat: ChatMemory,
  { situation, quiet, now }: { situation: Situation; quiet: boolean; now: Date },
): Omit<Decision, "chat"> | null {
  const { outage, diesAt } = situation;
  const { ended, sentAt } = chat;
  if (outage === null) {
    if (ended.length === 0 || quiet || sentAt.length >= mostADay - 1) return null;
    const ifTold = { told: null, ended: [], sentAt: [...sentAt, now] };
    return { alert: { type: "recovered", diesAt, ended }, ifTold, ifMissed: chat };
  }
  const told = chat.told ?? untold(outage.since);
  const needsPerson = outage.last.exit === 78;
  const { life, last } = outage;
  const isNews =
    (needsPerson && !told.codes.includes(last.code)) ||
    (life !== "alive" && !told.isDying) ||
    (life === "dead" && !told.isDead);
  if (!isNews || (quiet && life !== "dead") || sentAt.length >= mostADay) return null;
  const nowTold: ToldOutage = {
    ...told,
    codes: needsPerson ? [...new Set([...told.codes, last.code])] : told.codes,
    isDying: told.isDying || life !== "alive",
    isDead: told.isDead || life === "dead",
  };
  return {
    alert: { type: "failing", outage, needsPerson, diesAt, ended },
    ifTold: { told: nowTold, ended: [], sentAt: [...sentAt, now] },
    ifMissed: { ...chat, told },
  };
}

function untold(since: Date): ToldOutage {
  return { since, codes: [], isDying: false, isDead: false };
}
