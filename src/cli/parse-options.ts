import { parseArgs, type ParseArgsConfig } from "node:util";
import { GhauthError, messageOf } from "../errors.js";

type Options = NonNullable<ParseArgsConfig["options"]>;
type Values<T extends Options> = ReturnType<typeof parseArgs<{ args: string[]; options: T }>>["values"];

/** The options of a verb, without positional arguments. Throws `usage`. */
export function parseOptions<T extends Options>(args: string[], options: T): Values<T> {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new GhauthError("usage", messageOf(error), { cause: error });
  }
}
