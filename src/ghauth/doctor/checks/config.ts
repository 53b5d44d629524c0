import { dirname } from "node:path";
import { GhauthError } from "../../../errors.js";
import { shellWord } from "../../../files/shell-word.js";
import { tokenFilesElsewhere } from "../../environment-problems.js";
import type { Check, Host } from "../check.js";
import { findExamples } from "../example-values.js";
import { openToOthers } from "../file-mode.js";
import { error, type Finding, ok, unseen, warning } from "../finding.js";

/** Both files of settings: readable, whole, closed to others, at one about the token env file, without examples' values. */
export const config: Check = {
  label: "config",
  run: (host) => {
    const findings = [...checkTakopiConfig(host), ...checkAppSettings(host), ...checkTokenEnvFile(host)];
    return findings.length > 0 ? findings : [ok(describe(host))];
  },
};

function describe({ takopi, settings, configPath, paths, show }: Host): string {
  const read = [
    ...(takopi === null ? [] : [configPath]),
    ...(settings.file.type === "read" ? [paths.appEnvFile] : []),
  ];
  return read.length === 0 ? "all from the environment" : read.map((path) => show(path)).join(", ");
}

function checkTakopiConfig({ takopi, pluginError, configPath, show }: Host): Finding[] {
  if (takopi === null) return [];
  if (takopi instanceof GhauthError) {
    // It is refused for its mode where others can change it, or read a bot token in it.
    const isOpen = takopi.message.includes("by others");
    const open = isOpen ? openToOthers(configPath, { mask: 0o066, mode: "600", what: show(configPath) }) : [];
    return open.length > 0 ? open : [error(takopi.message, edit(configPath, "correct it"))];
  }
  return [
    ...(pluginError ? [error(pluginError.message, edit(configPath, "correct it"))] : []),
    ...takopi.transports.flatMap((name) => leftFromExample(tableOf(takopi, name), configPath, show)),
  ];
}

function tableOf(takopi: Exclude<Host["takopi"], GhauthError | null>, transport: string) {
  try {
    return takopi.transportConfig(transport);
  } catch (thrown) {
    if (thrown instanceof GhauthError) return {}; // it is no table, as the check of the chat tells
    throw thrown;
  }
}

const gitHubsApi = "https://api.github.com";

function checkAppSettings({ settings, paths, show, env, setupScript }: Host): Finding[] {
  const path = paths.appEnvFile;
  const { file } = settings;
  if (file.type === "hidden") return [unseen(show(path))];
  if (file.type === "missing") {
    if (env["GITHUB_APP_ID"] || env["GITHUB_TOKEN_SOURCE"]) return [];
    const script = shellWord(setupScript("bootstrap_user_refresh.sh"));
    return [
      error(
        `there is no ${show(path)}`,
        `Set the refresh up with the App's ID and its installation's: \`GITHUB_APP_ID=ID GITHUB_APP_INSTALLATION_ID=ID ${script}\``,
      ),
    ];
  }
  const open = [
    ...openToOthers(path, { mask: 0o077, mode: "600", what: show(path) }),
    ...openToOthers(dirname(path), { mask: 0o022, mode: "700", what: show(dirname(path)) }),
  ];
  if (file.type === "unusable")
    return open.length > 0 ? open : [error(file.sentence, edit(path, "correct it"))];
  // An Enterprise Server of one's own counts its Apps from 1.
  const isGitHubs = (settings.of("GITHUB_API_URL") ?? gitHubsApi) === gitHubsApi;
  const names = isGitHubs ? [...file.names] : [...file.names].filter(([name]) => !name.endsWith("_ID"));
  return [...open, ...leftFromExample(Object.fromEntries(names), path, show)];
}

function leftFromExample(
  table: Readonly<Record<string, unknown>>,
  path: string,
  show: Host["show"],
): Finding[] {
  const { unfit, shown } = findExamples(table);
  const keys = [...unfit, ...shown];
  if (keys.length === 0) return [];
  const detail = `${show(path)} still has the example's ${keys.join(", ")}`;
  return [(unfit.length > 0 ? error : warning)(detail, edit(path, "put in your own"))];
}

function checkTokenEnvFile({ plugin, env, paths, configPath, takopi, show }: Host): Finding[] {
  return tokenFilesElsewhere(plugin, { env, paths }).map(({ where, path }) =>
    error(
      `TOKEN_ENV_FILE in ${where} is ${show(path)}, and token_env_file is ${show(plugin.tokenEnvFile)}: the timer writes one file, /ghauth refresh the other`,
      edit(takopi === null ? paths.appEnvFile : configPath, "name the same file in both"),
    ),
  );
}

function edit(path: string, what: string): string {
  return `Open the file and ${what}: \`"\${EDITOR:-vi}" ${shellWord(path)}\``;
}
