import * as z from "zod";
import { writeFileAtomically } from "../files/atomic-file.js";
import { parseJson } from "../files/json.js";
import { readIfThere } from "../files/regular-file.js";

const instant = z.iso.datetime().transform((text) => new Date(text));

const ended = z.object({ since: instant, until: instant });
const told = z.object({
  since: instant,
  /** Codes of failures that need a person. */
  codes: z.array(z.string()).catch([]),
  isDying: z.boolean().catch(false),
  isDead: z.boolean().catch(false),
});
const chat = z.object({
  /** What it was told of the outage that goes on. */
  told: told.nullable().catch(null),
  /** Outages whose end is still to be told. */
  ended: z.array(ended).catch([]),
  sentAt: z.array(instant).catch([]),
});
const memory = z.object({
  /** The outage that goes on, whose beginning the log may hold no more. */
  failingSince: instant.nullable().catch(null),
  /** When the last published token ends, which the log may hold no more either. */
  diesAt: instant.nullable().catch(null),
  /** The line of the refresh log up to which heartbeats were sent. */
  heartbeatFor: z.string().nullable().catch(null),
  /** By the name of the place. */
  chats: z.record(z.string(), chat).catch({}),
});

/** An outage that is over. */
export type EndedOutage = z.output<typeof ended>;
/** What a chat was told of an outage; nothing yet where it could not be reached. */
export type ToldOutage = z.output<typeof told>;
export type ChatMemory = z.output<typeof chat>;
/** What was told, where and when: `alerts.json`. */
export type Memory = z.output<typeof memory>;

export const nothingRemembered: Memory = {
  failingSince: null,
  diesAt: null,
  heartbeatFor: null,
  chats: {},
};

/** What is remembered; what cannot be read is forgotten. */
export function readMemory(path: string): Memory {
  return parseMemory(readText(path));
}

/** The same from the file's text: what is not understood is forgotten, each member by itself. */
export function parseMemory(text: string): Memory {
  return memory.catch(nothingRemembered).parse(parseJson(text));
}

/** Replaces the file (mode 0600). Throws the system's error. */
export function writeMemory(path: string, remembered: Memory): void {
  writeFileAtomically(path, `${JSON.stringify(remembered)}\n`);
}

function readText(path: string): string {
  try {
    return readIfThere(path)?.text ?? "";
  } catch {
    return ""; // no regular file, or somebody else's: writing will say so
  }
}
