import { statfsSync } from "node:fs";

/** Of linux/magic.h: tmpfs, and ramfs, which is tmpfs without a limit. */
const memoryTypes = new Set([0x0102_1994, 0x8584_58f6]);

/** Whether what is there is in memory, and on no disk. Throws the system's error. */
export function isInMemory(path: string): boolean {
  return memoryTypes.has(statfsSync(path).type);
}
