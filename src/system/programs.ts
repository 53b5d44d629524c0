import { accessSync, constants, existsSync, statSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Environment, Paths } from "./paths.js";

/** The refresh script where bootstrap puts it, else on PATH, where npm does; where it should be, if it is nowhere. */
export function findRefreshScript(env: Environment, { refreshScript }: Paths): string {
  if (isExecutable(refreshScript) || existsSync(refreshScript)) return refreshScript;
  return findOnPath("takopi-refresh-github-token", env).executable ?? refreshScript;
}

/** A program by its name or path, as a shell looks for it; `found` also where no file of that name may be executed. */
export function findOnPath(name: string, env: Environment): { executable: string | null; found: boolean } {
  const directories = name.includes("/") ? [""] : (env["PATH"] ?? "").split(delimiter);
  const candidates = directories.map((directory) =>
    name.includes("/") ? name : join(directory || ".", name),
  );
  return {
    executable: candidates.find((path) => isExecutable(path)) ?? null,
    found: candidates.some((path) => existsSync(path)),
  };
}

/** A program by its path, where there is a slash in it, else by its name. */
export function findProgram(program: string, env: Environment): ReturnType<typeof findOnPath> {
  if (!program.includes("/")) return findOnPath(program, env);
  return { executable: isExecutable(program) ? program : null, found: existsSync(program) };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false; // not there, or not for this user
  }
}
