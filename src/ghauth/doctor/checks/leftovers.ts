import { statSync } from "node:fs";
import { basename, join } from "node:path";
import { expandPath } from "../../../system/paths.js";
import type { Check, Host } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, type Finding, ok, unseen } from "../finding.js";
import { headOf, isKeyHead } from "../key-head.js";
import { listDirectory, textOf } from "../text-file.js";

/** Copies of the key where keys get left behind, and files of ours with a token in them that others can read. */
export const leftovers: Check = {
  label: "leftovers",
  run: (host) => {
    const findings = [
      ...findKeyCopies(host),
      ...findOpenState(host),
      ...(host.sandbox.hasOwnTmp ? [unseen("/tmp")] : []),
    ];
    return findings.length > 0 ? findings : [ok("no copy of the key found")];
  },
};

type Place = { directory: string; isSuspect: (name: string, isAsLong: boolean) => boolean };

/** GitHub names the keys that one downloads `<app>.<date>.private-key.pem`; ours is github-app.pem. */
const keyNames = /private-key|github-app|^app\.|app[-_. ]?key|ghauth|takopi/i;
const keyEndings = /\.(?:pem|key)(?:[.~_-].*|~|\d+| \(\d+\))?$|\(\d+\)\.pem$/i;
const byName = (name: string) => keyNames.test(name);
/** Keys for other things have other names, and are seldom just as long. */
const byNameOrLength = (name: string, isAsLong: boolean) => isAsLong || byName(name);

/** Where keys get left behind; in the directories in these it is looked as well, but for those of the home. */
function searchedPlaces({ paths, env }: Host): Place[] {
  const inHome = (names: readonly string[]) => names.map((name) => join(paths.home, name));
  const userDirs = textOf(join(env["XDG_CONFIG_HOME"] || join(paths.home, ".config"), "user-dirs.dirs"));
  const downloads = /^XDG_DOWNLOAD_DIR="\$HOME\/(.+)"$/m.exec(userDirs ?? "")?.[1] ?? "Downloads";
  const passing = ["/tmp", "/var/tmp", env["TMPDIR"] || "/tmp", "/var/backups"];
  const backups = ["backup", "backups", "Backup", "Backups", ".backup"];
  return [
    { directory: join(paths.appEnvFile, ".."), isSuspect: () => true },
    { directory: paths.home, isSuspect: byName },
    ...inHome(["Desktop", "Documents", ".takopi"]).map((directory) => ({ directory, isSuspect: byName })),
    ...[...new Set([...passing, ...inHome(["Downloads", downloads, ...backups])])].map((directory) => ({
      directory,
      isSuspect: byNameOrLength,
    })),
  ];
}

const mostLooks = 5_000;

function findKeyCopies(host: Host): Finding[] {
  const own = ownKeyPath(host);
  const length = sizeOf(own);
  const seen = new Set<string>([own]);
  const look = (path: string, isSuspect: Place["isSuspect"]): Finding[] => {
    const name = basename(path);
    if (seen.size > mostLooks || seen.has(path) || !keyEndings.test(name)) return [];
    seen.add(path);
    if (!isKey(path) || !isSuspect(name, length !== null && sizeOf(path) === length)) return [];
    const what = /private-key/i.test(name)
      ? "a private key as GitHub gives it"
      : "a copy of the App's key, by its look";
    return [error(`${host.show(path)} is ${what}`, command("shred", "-u", path))];
  };
  return searchedPlaces(host).flatMap(({ directory, isSuspect }) =>
    listDirectory(directory).flatMap((path) => {
      const isInside = directory !== host.paths.home && isDirectory(path);
      return (isInside ? listDirectory(path) : [path]).flatMap((each) => look(each, isSuspect));
    }),
  );
}

function ownKeyPath({ settings, paths }: Host): string {
  const given = settings.of("GITHUB_APP_PRIVATE_KEY_PATH") ?? settings.of("GITHUB_APP_PRIVATE_KEY_FILE");
  return given === undefined ? paths.privateKeyFile : expandPath(given, paths);
}

function isKey(path: string): boolean {
  try {
    return isKeyHead(headOf(path));
  } catch {
    return false; // not ours to read
  }
}

function isDirectory(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch {
    return false;
  }
}

function sizeOf(path: string): number | null {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size ?? null;
  } catch {
    return null;
  }
}

/** git's answers hold the token; the log tells who did what. */
function findOpenState({ paths, show }: Host): Finding[] {
  const answers = [paths.gitAnswers, join(paths.gitAnswers, "../git-owners")].flatMap((place) =>
    listDirectory(place),
  );
  return [...answers, paths.refreshLog].flatMap((path) =>
    isDirectory(path) ? [] : openToOthers(path, { mask: 0o077, mode: "600", what: show(path) }),
  );
}
