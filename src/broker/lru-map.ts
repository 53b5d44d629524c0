/** A map of at most `most` entries: the one used longest ago goes first. */
export type LruMap<T> = {
  get: (key: string) => T | undefined;
  set: (key: string, value: T) => void;
  delete: (key: string) => void;
  entries: () => [string, T][];
};

export function createLruMap<T>(most: number): LruMap<T> {
  const values = new Map<string, T>(); // in the order of use
  const put = (key: string, value: T) => {
    values.delete(key);
    values.set(key, value);
    if (values.size <= most) return;
    for (const oldest of values.keys()) {
      values.delete(oldest);
      return;
    }
  };
  return {
    get: (key) => {
      const value = values.get(key);
      if (value !== undefined) put(key, value);
      return value;
    },
    set: put,
    delete: (key) => void values.delete(key),
    entries: () => [...values],
  };
}
