/** Hours of each day, by the host's clock, in which nobody is to be woken; minutes since midnight. */
export type QuietHours = { fromMinute: number; toMinute: number };

/** Parses `22:00-07:00`; undefined for what is no such text. */
export function parseQuietHours(text: string): QuietHours | undefined {
  const [, fromHour, fromMinute, toHour, toMinute] =
    /^([01]?\d|2[0-3]):([0-5]\d)\s*-\s*([01]?\d|2[0-3]):([0-5]\d)$/.exec(text.trim()) ?? [];
  if (fromHour === undefined) return undefined;
  return {
    fromMinute: Number(fromHour) * 60 + Number(fromMinute),
    toMinute: Number(toHour) * 60 + Number(toMinute),
  };
}

/** Whether `now` is within them; they may go over midnight, and from an hour to itself they are none. */
export function isQuiet(hours: QuietHours | null, now: Date): boolean {
  if (hours === null) return false;
  const { fromMinute, toMinute } = hours;
  const minute = now.getHours() * 60 + now.getMinutes();
  return fromMinute <= toMinute
    ? fromMinute <= minute && minute < toMinute
    : minute >= fromMinute || minute < toMinute;
}
