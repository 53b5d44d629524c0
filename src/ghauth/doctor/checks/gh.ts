import { join } from "node:path";
import { expandPath } from "../../../system/paths.js";
import { findOnPath } from "../../../system/programs.js";
import { webHostOf } from "../../../token/git-hosts.js";
import type { Check } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, ok, unseen, warning } from "../finding.js";
import { textOf } from "../text-file.js";

/** Whether gh has the refreshed token, by its hosts.yml: gh itself is not asked, for its status may show the token. */
export const gh: Check = {
  label: "gh",
  run: async ({ settings, env, paths, token, show, refreshCommand }) => {
    if (settings.of("GH_AUTH") === "off") return [ok("left alone: GH_AUTH=off")];
    if (findOnPath("gh", env).executable === null)
      return [
        warning(
          "gh is not installed, and a refresh is to log it in",
          "Install it, or set GH_AUTH=off: `sudo apt-get install gh`",
        ),
      ];
    const given = settings.of("GH_CONFIG_DIR");
    const path = join(given === undefined ? paths.ghConfigDir : expandPath(given, paths), "hosts.yml");
    const open = openToOthers(path, { mask: 0o077, mode: "600", what: show(path) });
    if (open.length > 0) return open;
    const refresh = command(...(await refreshCommand()));
    const isUnknown = settings.file.type === "hidden";
    const account = readAccount(textOf(path) ?? "", hostOf(settings.of("GITHUB_API_URL")));
    if (account === null && isUnknown) return [unseen("whether gh is to be logged in")];
    if (account === null) return [error("not logged in", refresh)];
    const held = token.type === "token" ? token.token.secret.reveal() : null;
    const who = account.user === null || account.user === "x-access-token" ? "" : ` as ${account.user}`;
    if (account.token !== null && account.token === held) return [ok(`has the refreshed token${who}`)];
    if (account.token === null)
      return [error(`logged in${who}, with its token in a keyring, which no service can reach`, refresh)];
    const isInstallation = account.token.startsWith("ghs_");
    return isInstallation
      ? [error(`has another token than the refreshed one${who}`, refresh)]
      : [error(`logged in${who || " by another token"}: another account than the App's`, refresh)];
  },
};

function hostOf(apiUrl: string | undefined): string {
  return apiUrl !== undefined && URL.canParse(apiUrl) ? webHostOf(new URL(apiUrl).hostname) : "github.com";
}

/** Of gh's own file, always written in this form, two lines are picked out without a parser. */
function readAccount(text: string, host: string): { user: string | null; token: string | null } | null {
  const hosts = text.split(/^(?=\S)/m).filter((each) => /^\S+:\s*$/m.test(each));
  const ofHost = (name: string) =>
    hosts.find((each) => each.startsWith(`${name}:`) || each.startsWith(`"${name}":`));
  const entry = ofHost(host) ?? ofHost("github.com");
  if (entry === undefined) return null;
  const valueOf = (name: string) =>
    new RegExp(`^ {4}${name}: *["']?([^"'\\s]+)["']?\\s*$`, "m").exec(entry)?.[1] ?? null;
  return { user: valueOf("user"), token: valueOf("oauth_token") };
}
