import { existsSync } from "node:fs";
import { shellWord } from "../../../files/shell-word.js";
import { expandPath } from "../../../system/paths.js";
import { findOnPath } from "../../../system/programs.js";
import { join } from "node:path";
import { gitHostsOf } from "../../../token/git-hosts.js";
import { redact } from "../../../token/redact.js";
import type { Check, Host } from "../check.js";
import { helpersFor, isOurHelper, nameOfHelper } from "../credential-helpers.js";
import { error, type Finding, ok, type Remedy, warning } from "../finding.js";
import {
  addLine,
  type GitEntry,
  gitConfigFor,
  isOfClone,
  readGitPlaces,
  unsetValues,
} from "../git-config.js";

/** Whether git gets the refreshed token: our helper asked first, and no header that is sent without asking. */
export const gitHelper: Check = {
  label: "git helper",
  run: async (host) => {
    const places = await readGitPlaces(host);
    if (places === null) return [ok("git is not installed, or reads nothing")];
    const hosts = gitHostsOf(host.settings.of);
    const findings = [
      ...places.lists.flatMap((entries) => checkHeaders(entries, hosts, host)),
      ...checkHelpers(places.everywhere, hosts, host),
      ...places.clones.flatMap((entries) => checkClone(entries, hosts, host)),
    ];
    return findings.length > 0 ? findings : [ok("ghauth is asked first")];
  },
};

/** `http.extraheader = AUTHORIZATION: …`, and the same for one address. */
function checkHeaders(
  entries: readonly GitEntry[],
  hosts: readonly string[],
  { show, paths }: Host,
): Finding[] {
  const [entry] = entries;
  const values = entries.map(({ value }) => value);
  if (!entry || !isHeaderFor(entry.key, hosts) || !values.some((value) => isAuthorization(value))) return [];
  const detail = `${redact(entry.key)} in ${show(entry.place)} sends a token of its own, and git asks no helper`;
  const kept = values.filter((value) => !isAuthorization(value));
  return [error(detail, unsetValues(entry, { values, kept, home: paths.home }))];
}

function isHeaderFor(key: string, hosts: readonly string[]): boolean {
  const match = /^http\.(?:(.*)\.)?extraheader$/s.exec(key);
  if (!match) return false;
  const [, pattern] = match;
  return (
    pattern === undefined ||
    hosts.some(
      (host) =>
        pattern
          .toLowerCase()
          .replace(/^https?:\/\/(?:[^/@]*@)?/, "")
          .replace(/\/.*$/s, "") === host,
    )
  );
}

function isAuthorization(value: string): boolean {
  return /^\s*(?:proxy-)?authorization\s*:/i.test(value);
}

/** What git asks outside of any clone. */
function checkHelpers(entries: readonly GitEntry[], hosts: readonly string[], host: Host): Finding[] {
  const lists = hosts.map((name) => ({ name, helpers: helpersFor(entries, name) }));
  const shadowed = lists.flatMap(({ name, helpers }) => {
    const ours = helpers.findIndex(({ value }) => isOurHelper(value));
    const [first] = helpers;
    if (ours <= 0 || !first) return [];
    const detail = `${nameOfHelper(redact(first.value))} is asked before ghauth for ${name} (${first.key} in ${host.show(first.place)})`;
    return [error(detail, useOurs(name, entries, host))];
  });
  if (shadowed.length > 0) return shadowed;
  const served = lists.filter(({ helpers }) => helpers.some(({ value }) => isOurHelper(value)));
  if (served.length > 0)
    return checkProgram(
      served.map(({ name }) => name),
      { entries, host },
    );
  const [name = "github.com"] = hosts;
  const isKnown = entries.some(
    ({ key, value }) => /^credential\.(?:.*\.)?helper$/s.test(key) && isOurHelper(value),
  );
  const [first] = lists[0]?.helpers ?? [];
  const remedy = useOurs(name, entries, host);
  if (!first) return [(isKnown ? error : warning)("git asks no helper for a token", remedy)];
  const detail = `${nameOfHelper(redact(first.value))} is asked, and not ghauth (${first.key} in ${host.show(first.place)})`;
  return [error(detail, remedy)];
}

/** `ghauth` is a name that git looks for on its PATH; else it is a command that a shell runs. */
function checkProgram(
  names: readonly string[],
  { entries, host }: { entries: readonly GitEntry[]; host: Host },
): Finding[] {
  const ours = names.flatMap((name) =>
    helpersFor(entries, name)
      .filter(({ value }) => isOurHelper(value))
      .map(({ value }) => ({ name, program: programOf(value, host) })),
  );
  // The chat host's service has a PATH of its own, and runs no agents.
  const isChatHost = host.settings.file.type === "hidden";
  const env = isChatHost
    ? { PATH: `${host.env["PATH"] ?? ""}:${join(host.paths.home, ".local/bin")}` }
    : host.env;
  const lost = ours.find(({ program }) => findOnPath(program, env).executable === null);
  if (!lost) return [];
  const what =
    lost.program === helperName ? `${helperName} is not on the PATH` : `there is no ${lost.program}`;
  return [error(`git is to ask ghauth, and ${what}`, useOurs(lost.name, entries, host))];
}

const helperName = "git-credential-ghauth";

function programOf(value: string, { paths }: Host): string {
  if (value === "ghauth") return helperName;
  return expandPath(value.replace(/^!/, "").replaceAll(/["'\\]/g, ""), paths);
}

/** What git is told to ask: a name, where its PATH has it, else a command. */
function ourProgram({ env, setupScript, paths }: Host): string {
  if (findOnPath(helperName, env).executable !== null) return "ghauth";
  const installed = join(paths.home, ".local/bin", helperName);
  return `!${shellWord(existsSync(installed) ? installed : setupScript(helperName))}`;
}

/** README's two lines: the first one also makes git forget what is set elsewhere. */
function useOurs(name: string, entries: readonly GitEntry[], host: Host): Remedy {
  const key = `credential.https://${name}.helper`;
  const git = ["git", "config", "--global"] as const;
  const before = entries.filter(
    (entry) => entry.key === key && gitConfigFor(entry, host.paths.home)[2] === "--global",
  );
  return [
    {
      words: [...git, "--replace-all", key, ""],
      undo: (keep) => [
        `${git.join(" ")} --unset-all ${key}`,
        ...before.map((entry) => addLine([...git, "--add", key], entry.value, keep)),
      ],
    },
    {
      words: [...git, "--add", key, ourProgram(host)],
    },
  ];
}

/** A clone may have helpers of its own, which come after all others, or make git forget them. */
function checkClone(entries: readonly GitEntry[], hosts: readonly string[], host: Host): Finding[] {
  const outer = entries.filter((entry) => !isOfClone(entry));
  return hosts.flatMap((name) => {
    const [expected, [found]] = [helpersFor(outer, name)[0], helpersFor(entries, name)];
    if (!expected || !isOurHelper(expected.value) || (found && isOurHelper(found.value))) return [];
    const own = entries.filter(
      (entry) => isOfClone(entry) && /^credential\.(?:.*\.)?helper$/s.test(entry.key),
    );
    const remedies = [...new Set(own.map(({ key }) => key))].flatMap((key) => {
      const list = own.filter((entry) => entry.key === key);
      const values = list.map(({ value }) => value);
      return list[0] ? unsetValues(list[0], { values, home: host.paths.home }) : [];
    });
    const [first, ...more] = remedies;
    if (!first) return [];
    return [
      error(
        `ghauth is not asked for ${name} in ${host.show(own[0]?.place ?? "")}, which has helpers of its own`,
        [first, ...more],
      ),
    ];
  });
}
