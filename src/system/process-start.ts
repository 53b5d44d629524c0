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
    const ageMs = uptimeMs - ((readStartTicks("self") + 1) * 1000) / ticksPerSecond;
    return new Date(Math.min(nodeStartedMs, now.getTime() - (ageMs > 0 ? ageMs : 0)));
  } catch {
    return new Date(nodeStartedMs);
  }
}

/** What tells a process from all others that had or will have its number; null where there is no such process, or no /proc. */
export function processIdentity(pid: number): string | null {
  try {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return `${boot}/${readStartTicks(pid)}`;
  } catch {
    return null;
  }
}

function readStartTicks(pid: number | "self"): number {
  return Number(readFileSync(`/proc/${pid}/stat`, "latin1").split(") ").at(-1)?.split(" ")[19]);
}
