/** A request that is answered with `{"error"}`; the sentence is for the client to read. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly status: 400 | 401 | 403 | 404 | 500 | 503;
  readonly retryAfterSeconds: number | null;

  constructor(status: Refusal["status"], sentence: string, retryAfterSeconds: number | null = null) {
    super(sentence);
    this.status = status;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
