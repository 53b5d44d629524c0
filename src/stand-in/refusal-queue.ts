import type { RefusalDetails, RefusalName } from "./refusals.js";

/** How often (1), and on which paths (minting), a refusal holds; a string is a whole path without Enterprise Server's prefix. */
export type RefusalOptions = RefusalDetails & { times?: number; path?: RegExp | string };

/** A refusal whose turn has come. */
type DueRefusal = { name: RefusalName; details: RefusalDetails };

type Pending = DueRefusal & { path: RegExp | string; times: number };

/** Refusals on demand, each used up in the order in which they were asked for. */
export type RefusalQueue = {
  add(name: RefusalName, options: RefusalOptions): void;
  take(path: string): DueRefusal | undefined;
  clear(): void;
};

const mintPath = /^\/app\/installations\/[^/]+\/access_tokens$/;

/** An empty queue. */
export function createRefusalQueue(): RefusalQueue {
  let pending: Pending[] = [];
  return {
    add(name, { times = 1, path = mintPath, ...details }) {
      pending.push({ name, path, times, details });
    },
    take(path) {
      const due = pending.find((refusal) => refusal.times > 0 && isAbout(refusal, path));
      if (due !== undefined) due.times -= 1;
      return due;
    },
    clear() {
      pending = [];
    },
  };
}

function isAbout({ path: wanted }: Pending, path: string): boolean {
  return typeof wanted === "string" ? wanted === path : wanted.test(path);
}
