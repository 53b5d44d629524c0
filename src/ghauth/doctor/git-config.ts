import { existsSync } from "node:fs";
import { join } from "node:path";
import { shellWord } from "../../files/shell-word.js";
import { redact } from "../../token/redact.js";
import type { Host } from "./check.js";
import { type Command, commandLine, type Keep } from "./finding.js";

/** One value in git's configuration: `origin` is its file, and `place` that, or the clone whose own file it is. */
export type GitEntry = { scope: string; origin: string; place: string; key: string; value: string };

/** What git reads outside of any clone, and in each that is looked at. */
export type GitPlaces = {
  everywhere: GitEntry[];
  clones: GitEntry[][];
  /** All values that one key has in one file. */
  lists: GitEntry[][];
  /** Directories in which git cannot be asked. */
  unread: string[];
};

/** Asks git in all places at once; null where there is no git, or it can read nothing. */
export async function readGitPlaces(host: Host): Promise<GitPlaces | null> {
  const [everywhere = null, ...read] = await Promise.all(
    ["/", ...host.repositories].map(async (directory) => readGitConfig(host, directory)),
  );
  if (everywhere === null) return null;
  const clones = read.filter((entries) => entries !== null);
  const own = clones.flatMap((entries) => entries.filter((entry) => isOfClone(entry)));
  const lists = new Map<string, GitEntry[]>();
  for (const entry of [...everywhere, ...own]) {
    const id = [entry.scope, entry.place, entry.key].join("\0");
    lists.set(id, [...(lists.get(id) ?? []), entry]);
  }
  const unread = host.repositories.filter((_, index) => read[index] === null);
  return { everywhere, clones, lists: [...lists.values()], unread };
}

/** Whether an entry is of a clone's own file. */
export function isOfClone({ scope }: GitEntry): boolean {
  return scope === "local" || scope === "worktree";
}

/** All that git reads when it is run in a directory, in its order. */
async function readGitConfig(host: Host, directory: string): Promise<GitEntry[] | null> {
  const listed = await host.look([
    "git",
    "-C",
    directory,
    "config",
    "--null",
    "--show-scope",
    "--show-origin",
    "--list",
  ]);
  if (listed === null || listed.exitCode !== 0) return null;
  const fields = listed.stdout.split("\0");
  const entries: GitEntry[] = [];
  for (let at = 0; at + 2 < fields.length; at += 3) {
    const [scope = "", origin = "", text = ""] = fields.slice(at, at + 3);
    const end = text.includes("\n") ? text.indexOf("\n") : text.length;
    const file = origin.replace(/^file:/, "");
    entries.push({
      scope,
      origin: file,
      place: scope === "local" || scope === "worktree" ? directory : file,
      key: text.slice(0, end),
      value: text.slice(end + 1),
    });
  }
  return entries;
}

/** `git config` for the file that an entry is in. */
export function gitConfigFor(entry: GitEntry, home: string): [string, ...string[]] {
  const { scope, origin, place } = entry;
  if (isOfClone(entry)) return ["git", "-C", place, "config", `--${scope}`];
  if (scope === "global" && origin === globalFile(origin, home)) return ["git", "config", "--global"];
  const file = ["git", "config", "--file", origin] as const;
  return scope === "system" && process.getuid?.() !== 0 ? ["sudo", ...file] : [...file];
}

/** Where `git config --global` writes: into the file of the XDG directory only where that is all there is. */
function globalFile(origin: string, home: string): string {
  const usual = join(home, ".gitconfig");
  return origin.endsWith("/git/config") && !existsSync(usual) ? origin : usual;
}

/** Takes all values of a key out of its file but `kept`; `values` are those that it has there now. */
export function unsetValues(
  entry: GitEntry,
  { values, kept = [], home }: { values: readonly string[]; kept?: readonly string[]; home: string },
): readonly [Command, ...Command[]] {
  const git = gitConfigFor(entry, home);
  const unset = [...git, "--unset-all", entry.key] as const;
  const undo = (keep: Keep) => [
    ...(kept.length > 0 ? [commandLine({ words: [...unset] })] : []),
    ...values.map((value) => addLine([...git, "--add", entry.key], value, keep)),
  ];
  return [
    { words: [...unset], undo },
    ...kept.map((value): Command => ({ words: [...git, "--add", entry.key, value] })),
  ];
}

/** The line that gives a key its value back, from a file where the value holds a secret. */
export function addLine(words: readonly string[], value: string, keep: Keep): string {
  const command = words.map((word) => shellWord(word)).join(" ");
  return redact(value) === value
    ? `${command} ${shellWord(value)}`
    : `${command} "$(cat ${shellWord(keep(value))})"`;
}
