import { expect, test } from "vitest";
import { renderAlert } from "../../src/notify/alert-page.js";
import { renderHtml } from "../../src/transports/telegram/html.js";

const now = new Date("2026-11-21T12:45:06Z");
const look = { hostName: "build-1", now, hasButtons: true, secrets: [] };
const minutesFromNow = (minutes: number) => new Date(now.getTime() + minutes * 60_000);

test("a recovery says how long each failure lasted", () => {
  const ended = [
    { since: minutesFromNow(-300), until: minutesFromNow(-217) },
    { since: minutesFromNow(-40), until: minutesFromNow(-1) },
  ];

  const reply = renderAlert({ type: "recovered", diesAt: minutesFromNow(59), ended }, look);

  expect(reply.actions).toEqual(["refresh", "doctor"]);
  expect(renderHtml(reply)).toBe(`<b>✅ GitHub token: refreshed again</b>
host: build-1
failed for: 1 h 23 min (2026-11-21 07:45:06 UTC to 2026-11-21 09:08:06 UTC)
failed for: 39 min (2026-11-21 12:05:06 UTC to 2026-11-21 12:44:06 UTC)
expires: in 59 minutes (2026-11-21 13:44:06 UTC)`);
});
