import { type GhauthError, toGhauthError } from "../errors.js";
import type { AppRequest } from "../github/app-request.js";
import { findInstallation, findOwnerInstallation } from "../github/find-installation.js";
import type { Clock } from "../system/clock.js";
import { createLruMap } from "./lru-map.js";

/** Where to look: a repository, or an owner's whole installation. */
export type Place = { owner: string; repository: string | null };
export type FoundInstallation = { id: string; isRemembered: boolean };

export type Installations = {
  /** What is remembered, without asking. */
  recall: (place: Place) => string | null;
  /** Rejects as finding it does. That it is absent is remembered for 30 s, what else a person must mend for 10 s. */
  find: (place: Place) => Promise<FoundInstallation>;
  forget: (place: Place) => void;
};

type Found = { id: string } | { error: GhauthError; untilMs: number };

const mostPlaces = 10_000;
const absenceMs = 30_000;
const refusalMs = 10_000;

/** Which installation reaches a repository, or an owner's: asked once however many want to know, and remembered. */
export function createInstallations(
  { appRequest, clock }: { appRequest: AppRequest; clock: Clock },
  asked: { host: string; appId: string },
): Installations {
  const found = createLruMap<Found>(mostPlaces);
  const jobs = new Map<string, Promise<string>>();

  const lookUp = async ({ owner, repository }: Place, key: string): Promise<string> => {
    try {
      const id =
        repository === null
          ? await findOwnerInstallation(appRequest, { owner, asked })
          : await findInstallation(appRequest, { owner, repository, asked });
      found.set(key, { id });
      return id;
    } catch (thrown) {
      const error = toGhauthError(thrown);
      const forMs = error.traits.isAbsence ? absenceMs : refusalMs;
      if (!error.isTransient) found.set(key, { error, untilMs: clock.elapsedMs() + forMs });
      throw error;
    }
  };

  return {
    recall: (place) => {
      const known = found.get(keyOf(place));
      return known && "id" in known ? known.id : null;
    },
    find: async (place) => {
      const key = keyOf(place);
      const known = found.get(key);
      if (known && "id" in known) return { id: known.id, isRemembered: true };
      if (known && known.untilMs > clock.elapsedMs()) throw known.error;
      const job = jobs.get(key) ?? lookUp(place, key).finally(() => jobs.delete(key));
      jobs.set(key, job);
      return { id: await job, isRemembered: false };
    },
    forget: (place) => found.delete(keyOf(place)),
  };
}

function keyOf({ owner, repository }: Place): string {
  return `${owner}/${repository ?? "*"}`.toLowerCase();
}
