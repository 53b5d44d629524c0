import type { SidecarHost } from "./sidecar-host.js";
import { type createVirtualTime, runVirtualSidecar } from "./virtual-sidecar.js";

export type Outage = { fromMs: number; toMs: number };
export type Day = {
  mints: number;
  failures: number;
  /** Instants at which GitHub had been up for 5 minutes, and the file held no working token. */
  lateMs: number[];
  /** Outages that were shorter than the life left, by what a call needs, and in or after which no token worked. */
  costly: Outage[];
};

const hourMs = 3_600_000;
const graceMs = 300_000;
/** What a call to GitHub takes: an answer, and what has none. */
const latencyMs = { answer: 1_000, none: 20_000 };
/** A call under way as an outage ends has no answer for up to 20 s; then comes a wait, and one that has. */
const callMs = 30_000;

/** 24 hours of a sidecar in which GitHub is down meanwhile; the token is looked at every 5 seconds. */
export async function liveThroughDay(
  host: SidecarHost,
  {
    time,
    outages,
    random,
  }: { time: ReturnType<typeof createVirtualTime>; outages: Outage[]; random: () => number },
): Promise<Day> {
  const day: Day = { mints: 0, failures: 0, lateMs: [], costly: [] };
  const startsAt = time.elapsedMs();
  const at = () => time.elapsedMs() - startsAt;
  const current = () => outages.find(({ fromMs, toMs }) => fromMs <= at() && at() < toMs);
  const expiresAt = new Map<string, number>();
  let lastUpMs = 0;
  let lifeAtStartMs = Infinity;

  const look = () => {
    const works = host.github.isLive(host.token() ?? "");
    const expiryMs = expiresAt.get(host.token() ?? "") ?? 0;
    const outage = current();
    if (outage && lastUpMs !== outage.toMs) {
      lastUpMs = outage.toMs; // first look in it
      lifeAtStartMs = expiryMs - outage.fromMs;
    }
    const last = outages.findLast(({ fromMs }) => fromMs <= at());
    const isUpLong = !outage && at() - (last?.toMs ?? 0) >= graceMs;
    if (!works && isUpLong) day.lateMs.push(at());
    const isShort = last !== undefined && last.toMs - last.fromMs + callMs < lifeAtStartMs;
    if (!works && isShort && !day.costly.includes(last)) day.costly.push(last);
  };
  const weather = () => {
    host.github.allow();
    if (current()) host.github.refuse("reset", { times: Infinity, path: /./ });
  };

  const { sleep } = time;
  time.sleep = async (ms) => {
    await sleep(ms);
    look();
  };
  const log = await runVirtualSidecar(host, {
    time,
    hours: 24,
    random,
    before: weather,
    after: (isRefreshed) => {
      time.elapse(isRefreshed ? latencyMs.answer : latencyMs.none);
      if (isRefreshed) expiresAt.set(host.token() ?? "", at() + hourMs);
    },
  });
  time.sleep = sleep;
  day.mints = host.github.mints;
  day.failures = log.filter(({ event }) => event === "refresh.failed").length;
  return day;
}
