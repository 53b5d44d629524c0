import { createHash } from "node:crypto";
import { inspect } from "node:util";

/** A string that cannot print itself: only `reveal()` gives it, where bytes leave for a header, a file or a child's stdin. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** The first 8 hex digits of its SHA-256: enough to tell two tokens apart, useless for anything else. */
  get fingerprint(): string {
    return this.sha256.slice(0, 8);
  }

  /** Its SHA-256 in hex. */
  get sha256(): string {
    return createHash("sha256").update(this.#value).digest("hex");
  }

  toString(): string {
    return "[secret]";
  }

  toJSON(): string {
    return "[secret]";
  }

  [inspect.custom](): string {
    return "[secret]";
  }
}
