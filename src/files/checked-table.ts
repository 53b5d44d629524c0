import type * as z from "zod";
import { GhauthError } from "../errors.js";
import { isTable } from "./toml.js";

/** Where a table of settings stands: its file, and its name there, empty for the whole file. */
export type TablePlace = { path: string; key: string };

/** A table as a schema reads it. Throws `config_invalid`, naming file and key, and what was expected. */
export function checkTable<T>(schema: z.ZodType<T>, table: unknown, { path, key }: TablePlace): T {
  const complain = (names: readonly PropertyKey[], complaint: string) => {
    const place = [key, ...names.map(String)].filter((name) => name !== "").join(".");
    return new GhauthError("config_invalid", `${path}: ${place} ${complaint}.`);
  };
  if (!isTable(table)) throw complain([], "must be a table");
  const parsed = schema.safeParse(table);
  if (parsed.success) return parsed.data;
  // A key that is misspelt says more than the one that is missed.
  const { issues } = parsed.error;
  const issue = issues.find(({ code }) => code === "unrecognized_keys") ?? issues[0];
  if (issue?.code !== "unrecognized_keys")
    throw complain(issue?.path ?? [], `must be ${issue?.message ?? "something else"}`);
  const known = "shape" in schema ? Object.keys(schema.shape ?? {}).join(", ") : "";
  throw complain([...issue.path, issue.keys[0] ?? ""], `is not known; the keys are ${known}`);
}
