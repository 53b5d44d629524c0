const patienceMs = 15_000;

export type Signal = { emit: () => void; listen: (listener: () => void) => () => void };

/** Something that happens again and again. */
export function createSignal(): Signal {
  const listeners = new Set<() => void>();
  return {
    emit: () => {
      for (const listener of listeners) listener();
    },
    listen: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Resolves with what `check` returns as soon as that is something; asks it whenever `signal` is given. */
export async function waitUntil<T>(
  { signal, problems }: { signal: Signal; problems: readonly string[] },
  check: () => T | undefined | false,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      unlisten();
      clearTimeout(deadline);
    };
    const look = () => {
      const found = check();
      if (found === undefined || found === false) return;
      end();
      resolve(found);
    };
    const unlisten = signal.listen(look);
    const deadline = setTimeout(() => {
      end();
      reject(new Error([`Never came true: ${check.toString()}`, ...problems].join("\n")));
    }, patienceMs);
    look();
  });
}
