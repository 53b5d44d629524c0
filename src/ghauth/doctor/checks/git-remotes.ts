import { shellWord } from "../../../files/shell-word.js";
import { redact } from "../../../token/redact.js";
import type { Check, Host } from "../check.js";
import { error, type Finding, ok, warning } from "../finding.js";
import { addLine, type GitEntry, gitConfigFor, readGitPlaces, unsetValues } from "../git-config.js";
import { hasUrlSecret, withoutUrlUser } from "../url-secret.js";

/** Addresses with a token in them, in the clones that are looked at and in what git reads everywhere: git asks no helper then. */
export const gitRemotes: Check = {
  label: "git remotes",
  run: async (host) => {
    const places = await readGitPlaces(host);
    if (places === null) return [ok("git is not installed, or reads nothing")];
    const findings = [
      ...places.lists.flatMap((entries) => checkList(entries, host)),
      ...places.unread.map((directory) =>
        warning(`git reads nothing in ${host.show(directory)}`, [
          { words: ["git", "-C", directory, "status"] },
        ]),
      ),
    ];
    return findings.length > 0 ? findings : [ok("no token in an address")];
  },
};

/** All the values that one key has in one file. */
function checkList(entries: readonly GitEntry[], host: Host): Finding[] {
  const [entry] = entries;
  const values = entries.map(({ value }) => value);
  if (!entry || entry.key.endsWith(".extraheader")) return [];
  const { key, place } = entry;
  if (![key, ...values].some((text) => hasUrlSecret(text))) return [];
  const detail = `${redact(withoutUrlUser(key))} in ${host.show(place)} has a password or token in its address, and git asks no helper then`;
  return [error(detail, hasUrlSecret(key) ? cleanFile(entry) : cleanValues(entry, values, host))];
}

function cleanValues(entry: GitEntry, values: readonly string[], { paths: { home } }: Host) {
  const clean = values.map((value) => withoutUrlUser(value));
  if (values.length > 1) return unsetValues(entry, { values, kept: clean, home });
  const git = [...gitConfigFor(entry, home), entry.key] as const;
  const [value = "", cleanValue = ""] = [values[0], clean[0]];
  return [
    { words: [...git, cleanValue], undo: (keep: (text: string) => string) => [addLine(git, value, keep)] },
  ] as const;
}

/** Of a key with a secret in it git would have to be told that secret, where all may see it. */
function cleanFile({ scope, place, origin }: GitEntry) {
  if (scope === "local" || scope === "worktree")
    return `Take it out of the file: \`${["git", "-C", shellWord(place), "config", `--${scope}`, "--edit"].join(" ")}\``;
  const stripping = String.raw`s#(https?://)[^/@"[:space:]]+@#\1#g`;
  return [{ words: ["sed", "--follow-symlinks", "-i.before-doctor", "-E", stripping, origin] }] as const;
}
