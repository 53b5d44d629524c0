import { formatDistanceStrict } from "date-fns/formatDistanceStrict";
import type { ReplyField } from "../takopi/command-backend.js";

/** `before` and `after` make a distance of time a phrase, which a chat that shows instants natively does by itself. */
export function instant(
  name: string,
  at: Date,
  { now, lead = "", before = "", after = "" }: { now: Date; lead?: string; before?: string; after?: string },
): ReplyField {
  const distance = formatDistanceStrict(at, now, { roundingMethod: "floor" });
  return {
    name,
    value: `${lead}${before}${distance}${after} (${utc(at)})`,
    at,
    ...(lead !== "" && { lead }),
  };
}

/** An instant as people read it. */
export function utc(at: Date): string {
  return `${at.toISOString().slice(0, 19).replace("T", " ")} UTC`;
}
