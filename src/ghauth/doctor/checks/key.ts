import { errnoOf, messageOf } from "../../../errors.js";
import { shellWord } from "../../../files/shell-word.js";
import { expandPath } from "../../../system/paths.js";
import type { Check, Host } from "../check.js";
import { openToOthers } from "../file-mode.js";
import { command, error, type Finding, ok, unseen } from "../finding.js";
import { headOf, isKeyHead } from "../key-head.js";

/** The App's private key, or what stands in its place: closed to others. Of the key no more than its first words are read. */
export const key: Check = {
  label: "key",
  run: (host) => {
    const { settings, paths } = host;
    if (settings.file.type === "hidden") return [unseen("the key")];
    const source = settings.of("GITHUB_TOKEN_SOURCE") ?? "app";
    if (source === "broker") return checkBearer(host);
    if (source === "command") return [ok("none on this host: a command gives the token")];
    if (settings.of("GITHUB_APP_PRIVATE_KEY")) return [ok("in the environment")];
    const given = settings.of("GITHUB_APP_PRIVATE_KEY_PATH") ?? settings.of("GITHUB_APP_PRIVATE_KEY_FILE");
    return checkKey(given === undefined ? paths.privateKeyFile : expandPath(given, paths), host);
  },
};

function checkKey(path: string, { show, sandbox }: Host): Finding[] {
  if (sandbox.hides(path)) return [unseen(show(path))];
  const open = openToOthers(path, { mask: 0o077, mode: "600", what: show(path) });
  if (open.length > 0) return open;
  const putThere = `Put the App's private key there: \`install -m 600 KEY.pem ${shellWord(path)}\``;
  try {
    return isKeyHead(headOf(path))
      ? [ok(show(path))]
      : [error(`${show(path)} is no private key in PEM form`, putThere)];
  } catch (thrown) {
    if (errnoOf(thrown) === "ENOENT") return [error(`there is no ${show(path)}`, putThere)];
    return [error(`${show(path)} cannot be read: ${messageOf(thrown)}`, command("ls", "-ld", path))];
  }
}

function checkBearer({ settings, paths, show }: Host): Finding[] {
  const given = settings.of("GHAUTH_BROKER_TOKEN_FILE");
  const path = given === undefined ? null : expandPath(given, paths);
  const open = path === null ? [] : openToOthers(path, { mask: 0o077, mode: "600", what: show(path) });
  return open.length > 0 ? open : [ok("none on this host: a broker gives the token")];
}
