import { spawnSync } from "node:child_process";

/** Milliseconds that each of `commands` ([program, ...words]) takes as a whole process, run in turn; medians. */
export function medians(commands, { rounds = 15, options = {} } = {}) {
  const times = commands.map(() => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, [program, ...words]] of commands.entries()) {
      const startedMs = performance.now();
      const { status, error, stderr } = spawnSync(program, words, { encoding: "utf8", ...options });
      const ms = performance.now() - startedMs;
      if (error || status === null || status > 1)
        throw error ?? new Error(`${program} ended with ${status}: ${stderr}`);
      if (round >= 0) times[index].push(ms); // the first round warms up
    }
  }
  return times.map((list) => list.sort((a, b) => a - b)[Math.floor(list.length / 2)]);
}

export function ratioLine(what, oursMs, { peer, peerMs, atMost }) {
  const bound = atMost === undefined ? "" : ` (at most ${atMost})`;
  return `${what}: ${(oursMs / peerMs).toFixed(2)} of ${peer}${bound}; medians ${oursMs.toFixed(1)} and ${peerMs.toFixed(1)} ms`;
}
