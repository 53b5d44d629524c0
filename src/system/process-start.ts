import { readFileSync } from "node:fs";

const ticksPerSecond = 100; // USER_HZ, which Linux fixes at 100

/**
 * When this process was started, the shell that became it included; to 20 ms, and never too early. Where there is no
 * /proc, when Node began.
 */
export function processStartedAt(now: Date): Date {
  const nodeStartedMs = now.getTime() - process.uptime() * 1000;
  try {
    const uptimeMs = Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1000;
    const startTicks = Number(readFileSync("/proc/self/stat", "latin1").split(") ").at(-1)?.split(" ")[19]);
    const ageMs = uptimeMs - ((startTicks + 1) * 1000) / ticksPerSecond;
    return new Date(Math.min(nodeStartedMs, now.getTime() - (ageMs > 0 ? ageMs : 0)));
  } catch {
    return new Date(nodeStartedMs);
  }
}
