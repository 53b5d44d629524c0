/** What the stand-in sends: an object becomes JSON, a string goes out as it is, no body at all fits a 204. */
export type Answer = { status: number; headers?: Record<string, string>; body?: unknown };

/** Thrown where GitHub would refuse; it carries the whole answer. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`refused with ${answer.status}`);
    this.name = "Refused";
    this.answer = answer;
  }
}

/** GitHub's JSON error: `message`, `documentation_url` and the status as a string. */
export function problem(status: number, message: string, documentation = "/rest"): Answer {
  const documentationUrl = new URL(documentation, "https://docs.github.com").href;
  return { status, body: { message, documentation_url: documentationUrl, status: String(status) } };
}

/** Whole seconds since 1970, the unit of JWT claims and of `x-ratelimit-reset`. */
export function epochSeconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}

/** GitHub's form of an instant: `YYYY-MM-DDTHH:MM:SSZ`, without a fraction. */
export function githubTime(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, "Z");
}
