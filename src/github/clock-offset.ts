import type { GitHubAnswer } from "./github-api.js";

/**
 * How far GitHub's clock is ahead of this host's, by the `Date` of an answer. That has whole seconds, and the question
 * takes its time: an offset that these explain is 0. Null where the answer tells no date.
 */
export async function measureClockOffset(
  now: () => Date,
  ask: () => Promise<GitHubAnswer>,
): Promise<{ answer: GitHubAnswer; clockOffsetMs: number | null }> {
  const askedAt = now();
  const answer = await ask();
  if (!answer.date) return { answer, clockOffsetMs: null };
  const leastMs = answer.date.getTime() - now().getTime();
  const mostMs = answer.date.getTime() + 1_000 - askedAt.getTime();
  return { answer, clockOffsetMs: leastMs <= 0 && mostMs >= 0 ? 0 : (leastMs + mostMs) / 2 };
}
