/** The exit code is known: connections and retries that linger get a moment, and then the process ends all the same. */
export function endSoon(): void {
  setTimeout(() => process.exit(), 100).unref();
}
