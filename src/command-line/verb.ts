/**
 * A program, or a verb of one, as a table: what it takes and what it says of itself. Parsing, usage, help, suggestions
 * and completion come from it, and README is compared with it.
 */
export type Verb = {
  /** One line, for lists. */
  summary: string;
  /** What its own help says beyond that. */
  details?: string;
  /** `<NAME>`, `[HOURS]` or `[ARGUMENT...]`, and what each is. */
  operands?: Readonly<Record<string, string>>;
  /** `--json`, `--config <FILE>`, or `--workspace <ID>...` for one that may be given again; and what each does. */
  options?: Readonly<Record<string, string>>;
  /** Environment variables that it reads. */
  variables?: Readonly<Record<string, string>>;
  /** Exit codes beyond 0, and what each means. */
  exitCodes?: Readonly<Record<string, string>>;
  /** From its first operand on, all words belong to another program. */
  passesWordsOn?: true;
  verbs?: Readonly<Record<string, Verb>>;
  /** What does the work; a verb without it only groups others. */
  load?: () => Promise<Program>;
};

type Program = {
  // A method, since each takes the options of its own row.
  main(options: Readonly<Record<string, Value>>, operands: string[], program: Verb): number | Promise<number>;
};

type Value = string | string[] | true;

/** The options of a row as its program gets them: `{ json?: true; tokenFile?: string; workspace?: string[] }`. */
export type Options<Flags> = { [Flag in keyof Flags as NameOf<Flag>]?: ValueOf<Flag> };

type NameOf<Flag> = Flag extends `--${infer Name} <${string}`
  ? Camel<Name>
  : Flag extends `--${infer Name}`
    ? Camel<Name>
    : never;

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;

type ValueOf<Flag> = Flag extends `${string}>...` ? string[] : Flag extends `${string}>` ? string : true;

type Row<Flags extends Readonly<Record<string, string>>> = Omit<Verb, "options" | "load"> & {
  options?: Flags;
  load?: () => Promise<{
    main(options: Options<Flags>, operands: string[], program: Verb): number | Promise<number>;
  }>;
};

/** A row of the table, whose program takes just the options that it lists. */
export function verb<const Flags extends Readonly<Record<string, string>>>(row: Row<Flags>): Verb;
export function verb(row: Verb): Verb {
  return row;
}

/** What is to be run, with what. */
export type Run = {
  path: string[];
  verb: Verb;
  options: Readonly<Record<string, Value>>;
  operands: string[];
};

/** The verb at `path`, or null. */
export function findVerb(program: Verb, path: readonly string[]): Verb | null {
  let found: Verb = program;
  for (const word of path) {
    const next = Object.hasOwn(found.verbs ?? {}, word) ? found.verbs?.[word] : undefined;
    if (!next) return null;
    found = next;
  }
  return found;
}

/** What is to be run where nothing needs to be parsed for it; null elsewhere, mistakes included. */
export function findPlainRun(program: Verb, words: readonly string[]): Run | null {
  const end = words.indexOf("--");
  const path = end === -1 ? [...words] : words.slice(0, end);
  const operands = end === -1 ? [] : words.slice(end + 1);
  const asked = findVerb(program, path);
  if (!asked?.load || (end !== -1 && asked.passesWordsOn !== true)) return null;
  const needsOperand = Object.keys(asked.operands ?? {}).some((operand) => operand.startsWith("<"));
  return needsOperand && operands.length === 0 ? null : { path, verb: asked, options: {}, operands };
}
