import type { Place } from "./places.js";

/** Text in single quotes, as bash, zsh and fish all read it. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}

/** A pattern of `case` for the verbs that take a command line of their own. */
export function commandPlaces(places: readonly Place[]): string {
  return alternatives(places.filter(({ takesCommand }) => takesCommand).map(({ path }) => path));
}

/** A pattern for every verb; what follows `help` is a verb too, so that it does not count. */
export function verbPlaces(places: readonly Place[]): string {
  return alternatives(places.map(({ path }) => path).filter((path) => path !== "" && path !== " help"));
}

/** A pattern for every option whose value is a path, or is not, after the verb that it belongs to. */
export function valuedOptions(places: readonly Place[], { isPath }: { isPath: boolean }): string {
  const found = places.flatMap(({ path, valued }) =>
    valued.filter((each) => each.isPath === isPath).map(({ flag }) => `${path} ${flag}`),
  );
  return alternatives(found);
}

function alternatives(patterns: readonly string[]): string {
  return patterns.map((pattern) => quote(pattern)).join(" | ");
}
