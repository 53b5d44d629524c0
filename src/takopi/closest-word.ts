const mostSlips = 2;

/**
 * Which of `words` somebody probably meant who typed `typed`: one that it begins, else the one that is at most two
 * slips (a letter too many, too few, wrong, or swapped with the next) away, if most of it is right. Null: none.
 */
export function closestWord(typed: string, words: readonly string[]): string | null {
  const word = typed.toLowerCase();
  if (word === "") return null;
  const begun = word.length > 1 ? words.find((each) => each.startsWith(word)) : undefined;
  if (begun !== undefined) return begun;
  const [best] = words
    .filter((each) => Math.abs(each.length - word.length) <= mostSlips)
    .map((each) => ({ each, slips: countSlips(word, each) }))
    .filter(({ each, slips }) => slips <= mostSlips && slips * 2 < each.length)
    .sort((a, b) => a.slips - b.slips);
  return best?.each ?? null;
}

/** The Damerau-Levenshtein distance (optimal string alignment) of two words. */
function countSlips(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1];
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = Math.min(
        (last[j] ?? 0) + 1,
        (row[j - 1] ?? 0) + 1,
        (last[j - 1] ?? 0) + (isSame ? 0 : 1),
        isSwapped ? (beforeLast[j - 2] ?? 0) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
