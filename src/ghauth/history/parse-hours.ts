import { GhauthError } from "../../errors.js";

const defaultHours = 24;

/** A week: the most that a picture of it can show. */
export const mostHours = 168;

/** How many hours to look back on. Throws `usage`. */
export function parseHours([word, ...more]: readonly string[]): number {
  if (word === undefined) return defaultHours;
  const hours = /^\d{1,3}$/.test(word) && more.length === 0 ? Number(word) : 0;
  if (hours >= 1 && hours <= mostHours) return hours;
  throw new GhauthError(
    "usage",
    `history takes a number of hours, 1 to ${mostHours}, or nothing for the last ${defaultHours}.`,
  );
}
