type Program = { main: () => Promise<number> };

/**
 * Loads a program that sends secrets over HTTP. NODE_DEBUG would print them: Node has read it at its start, and only
 * another Node goes without it.
 */
export function withoutNodeDebug<P>(load: () => Promise<P>): () => Promise<P | Program> {
  return async () => (process.env["NODE_DEBUG"] ? { main: runInAnotherNode } : load());
}

async function runInAnotherNode(): Promise<number> {
  const { runInPlace } = await import("../exec/run-in-place.js");
  const { NODE_DEBUG: _, ...env } = process.env;
  return runInPlace([process.execPath, ...process.execArgv, ...process.argv.slice(1)], env);
}
