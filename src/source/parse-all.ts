import { GhauthError, toGhauthError } from "../errors.js";

type Parts = Readonly<Record<string, () => unknown>>;
type Parsed<P extends Parts> = { [Name in keyof P]: ReturnType<P[Name]> };

/** Parses all parts of a configuration. Throws one `config_invalid` that tells everything that is wrong with them. */
export function parseAll<P extends Parts>(parts: P): Parsed<P> {
  const complaints: string[] = [];
  const parsed = Object.entries(parts).map(([name, parse]) => {
    try {
      return [name, parse()];
    } catch (thrown) {
      complaints.push(...complaintsOf(toGhauthError(thrown)));
      return [name, undefined];
    }
  });
  if (complaints.length > 0) throw new InvalidParts(complaints);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- no type tells that an object is made of all its parts
  return Object.fromEntries(parsed) as Parsed<P>;
}

/** What is wrong, a sentence or two for each thing. */
export function complaintsOf(error: GhauthError): readonly string[] {
  return error instanceof InvalidParts ? error.complaints : [error.message];
}

class InvalidParts extends GhauthError {
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super("config_invalid", complaints.join(" "));
    this.complaints = complaints;
  }
}
