import { join } from "node:path";
import { shellWord } from "../../../files/shell-word.js";
import type { Check, Host } from "../check.js";
import { type Command, error, type Finding, ok } from "../finding.js";
import { deleteLines, literal } from "../sed.js";
import { readServiceUnits, type UnitFile } from "../service-units.js";
import { listDirectory, textOf } from "../text-file.js";
import { settingPattern, tokenVariables, tokenVariablesIn } from "../token-variables.js";

/** Tokens that stand in an environment: there they come before the refreshed one, and outlive themselves. */
export const environment: Check = {
  label: "environment",
  run: async (host) => {
    const findings = [
      ...checkOwn(host),
      ...(await checkManager(host)),
      ...loginFiles(host).flatMap((path) => checkFile(path, host)),
      ...readServiceUnits(host).flatMap((unit) => checkUnit(unit, host)),
    ];
    return findings.length > 0 ? findings : [ok("no token in it")];
  },
};

const dies = "it hides the refreshed token, also once it is dead";

/** What `ghauth exec` hands on is the held token. */
function checkOwn({ env, token }: Host): Finding[] {
  const held = token.type === "token" ? token.token.secret.reveal() : null;
  return tokenVariables
    .filter((name) => env[name] && env[name] !== held)
    .map((name) => error(`${name} is set here: ${dies}`, [{ words: ["unset", name] }]));
}

async function checkManager({ look, env }: Host): Promise<Finding[]> {
  const shown = env["XDG_RUNTIME_DIR"] ? await look(["systemctl", "--user", "show-environment"]) : null;
  const lines = shown?.exitCode === 0 ? shown.stdout.split("\n") : [];
  return tokenVariables.flatMap((name) => {
    const value = lines.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
    if (value === "") return [];
    const unset: Command = {
      words: ["systemctl", "--user", "unset-environment", name],
      undo: (keep) => [`systemctl --user set-environment ${name}="$(cat ${shellWord(keep(value))})"`],
    };
    return [error(`${name} is set in the user manager, for all its services: ${dies}`, [unset])];
  });
}

const loginFileNames = [
  ".profile .bash_profile .bash_login .bashrc .zshenv .zprofile .zshrc .zlogin .xprofile .pam_environment",
  ".config/fish/config.fish",
].flatMap((names) => names.split(" "));

function loginFiles({ paths, env }: Host): string[] {
  const configHome = env["XDG_CONFIG_HOME"] || join(paths.home, ".config");
  return [
    ...loginFileNames.map((name) => join(paths.home, name)),
    ...(env["ZDOTDIR"]
      ? [".zshenv", ".zprofile", ".zshrc"].map((name) => join(env["ZDOTDIR"] ?? "", name))
      : []),
    ...listDirectory(join(configHome, "environment.d")).filter((path) => path.endsWith(".conf")),
    ...listDirectory("/etc/profile.d").filter((path) => path.endsWith(".sh")),
    "/etc/environment",
    "/etc/profile",
  ];
}

function checkFile(path: string, { show, plugin, paths }: Host): Finding[] {
  const text = textOf(path);
  if (text === null) return [];
  const isOwn = path.startsWith(`${paths.home}/`);
  const found = tokenVariablesIn(text).map((name) =>
    error(`${show(path)} sets ${name}: ${dies}`, [asOwner(deleteLines(path, settingPattern(name)), isOwn)]),
  );
  // `. ~/.config/takopi/github-token.env`, in whatever way that is written
  const name = literal(plugin.tokenEnvFile.replace(/.*\//, ""));
  const reading = String.raw`^[^#]*(\.|source)\s.*${name}`;
  if (!new RegExp(reading, "m").test(text)) return found;
  return [
    ...found,
    error(`${show(path)} reads the token env file once, at login: ${dies}`, [
      asOwner(deleteLines(path, reading), isOwn),
    ]),
  ];
}

function checkUnit({ unit, path, isSystem, text }: UnitFile, { plugin, paths, show }: Host): Finding[] {
  const systemctl = isSystem ? (["sudo", "systemctl"] as const) : (["systemctl", "--user"] as const);
  const isOwn = path.startsWith(`${paths.home}/`);
  const restart: Command[] = [
    { words: [...systemctl, "daemon-reload"] },
    { words: [...systemctl, "try-restart", unit] },
  ];
  const files = [...text.matchAll(/^EnvironmentFile=(-?)(.*\S)\s*$/gm)].flatMap(
    ([, , given = ""]): Finding[] => {
      const file = given.replace(/^"(.*)"$/, "$1").replaceAll("%h", paths.home);
      if (file === plugin.tokenEnvFile) {
        if (/^Type=oneshot\s*$/m.test(text)) return []; // it reads it anew at each start
        const detail = `${unit} reads the token env file once, at its start (EnvironmentFile= in ${show(path)}): an hour later that token is dead`;
        const line = `^EnvironmentFile=-?${literal(given)}\\s*$`;
        return [error(detail, [asOwner(deleteLines(path, line), isOwn), ...restart])];
      }
      return tokenVariablesIn(textOf(file) ?? "").map((name) =>
        error(`${show(file)}, EnvironmentFile= of ${unit}, sets ${name}: ${dies}`, [
          asOwner(deleteLines(file, settingPattern(name)), file.startsWith(`${paths.home}/`)),
          ...restart,
        ]),
      );
    },
  );
  const own = tokenVariables
    .filter((name) => new RegExp(String.raw`^Environment=.*\b${name}=.`, "m").test(text))
    .map((name) =>
      error(`${unit} sets ${name} (Environment= in ${show(path)}): ${dies}`, [
        asOwner(deleteLines(path, String.raw`^Environment=.*\b${name}=`), isOwn),
        ...restart,
      ]),
    );
  return [...files, ...own];
}

function asOwner({ words }: Command, isOwn: boolean): Command {
  return { words: isOwn || process.getuid?.() === 0 ? words : ["sudo", ...words] };
}
