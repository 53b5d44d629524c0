const everyMs = 250;

/** Calls `end` once the process that started this one is gone, however it went: then another one is the parent. */
export function endWithParent(end: () => void): void {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) end();
  }, everyMs).unref();
}
