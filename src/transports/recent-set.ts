/** Remembers the last `size` words: `add` tells whether a word is new. */
export function createRecentSet(size: number) {
  const words = new Set<string>();
  return {
    add: (word: string): boolean => {
      if (words.has(word)) return false;
      words.add(word);
      const [oldest] = words;
      if (words.size > size && oldest !== undefined) words.delete(oldest);
      return true;
    },
    delete: (word: string): void => void words.delete(word),
  };
}

export type RecentSet = ReturnType<typeof createRecentSet>;
