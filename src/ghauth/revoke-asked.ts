import { dirname } from "node:path";
import { messageOf } from "../errors.js";
import { ensureDirectory, writeFileAtomically } from "../files/atomic-file.js";
import { withBriefLock } from "../files/brief-lock.js";
import { isObject, parseJson } from "../files/json.js";
import { readIfThere } from "../files/regular-file.js";

/** Within which the same person must ask again. */
export const confirmWithinSeconds = 60;

export type RevokeAsked = {
  /** Whether this person has asked within the last minute; what was asked is used up by that. */
  confirm: (who: string, now: Date) => boolean;
  /** Remembers that this person asks. Answers null, or why other processes will not know of it. */
  ask: (who: string, now: Date) => string | null;
};

/** When each person asked, in milliseconds since 1970. */
type Asked = Map<string, number>;

const largestFile = 65_536;

/**
 * Who has asked for a revoke, in the file at `path` (mode 0600), for inside Takopi each command is a process of its own.
 * What is created here remembers it too: a chat host's sandbox lets it write no file there.
 */
export function createRevokeAsked(path: string): RevokeAsked {
  const here: Asked = new Map();
  const change = (work: (asked: Asked) => void): string | null => {
    work(here);
    try {
      ensureDirectory(dirname(path));
      withBriefLock(`${path}.lock`, () => {
        const asked = readAsked(path);
        work(asked);
        writeFileAtomically(path, renderAsked(asked));
      });
      return null;
    } catch (error) {
      return messageOf(error);
    }
  };
  return {
    confirm: (who, now) => {
      let isAsked = false;
      change((asked) => {
        isAsked ||= isRecent(asked.get(who), now);
        asked.delete(who);
      });
      return isAsked;
    },
    ask: (who, now) =>
      change((asked) => {
        for (const [each, at] of asked) if (!isRecent(at, now)) asked.delete(each);
        asked.set(who, now.getTime());
      }),
  };
}

function isRecent(atMs: number | undefined, now: Date): boolean {
  const agoMs = now.getTime() - (atMs ?? Number.NaN);
  return agoMs >= 0 && agoMs <= confirmWithinSeconds * 1000;
}

/** Nobody has asked in a file that is not what it should be. */
function readAsked(path: string): Asked {
  const json = parseJson(readIfThere(path, largestFile)?.text ?? "");
  return new Map(
    Object.entries(isObject(json) ? json : {}).flatMap(([who, at]) =>
      typeof at === "string" && !Number.isNaN(Date.parse(at)) ? [[who, Date.parse(at)]] : [],
    ),
  );
}

function renderAsked(asked: Asked): string {
  const lines = [...asked].map(([who, atMs]) => [who, new Date(atMs).toISOString()]);
  return `${JSON.stringify(Object.fromEntries(lines))}\n`;
}
