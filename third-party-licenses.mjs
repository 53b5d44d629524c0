import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The licences of all packages that esbuild put into a bundle: `metafiles` are its accounts of what came from where.
 * Throws where a package's licence cannot be told.
 */
export function renderThirdPartyLicenses(metafiles) {
  const namesByText = new Map();
  for (const directory of bundledPackages(metafiles)) {
    const { name, text } = readLicense(directory);
    namesByText.set(text, (namesByText.get(text) ?? new Set()).add(name));
  }
  const sections = [...namesByText].map(([text, names]) => `${[...names].join("\n")}\n\n${text}`);
  return [introduction, ...sections].join(`\n${"-".repeat(80)}\n\n`);
}

const introduction =
  "The programs in this directory hold code of the packages below, each under its own license.\n";

/** The packages' directories, of which at least one byte is in a bundle. */
function bundledPackages(metafiles) {
  /** @type {Set<string>} */
  const directories = new Set();
  for (const { outputs } of metafiles)
    for (const { inputs } of Object.values(outputs))
      for (const [path, { bytesInOutput }] of Object.entries(inputs)) {
        const directory = /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0];
        if (directory !== undefined && bytesInOutput > 0) directories.add(directory);
      }
  return [...directories].toSorted();
}

function readLicense(directory) {
  const manifest = JSON.parse(readFileSync(join(directory, "package.json"), "utf8"));
  const name = `${manifest.name} ${manifest.version} (${manifest.license})`;
  const files = readdirSync(directory, { withFileTypes: true })
    .filter((entry) => entry.isFile() && /^(?:licen[cs]e|copying|notice)\b/i.test(entry.name))
    .map((entry) => readFileSync(join(directory, entry.name), "utf8"))
    .map(
      (text) =>
        `${text
          .replaceAll(/[^\S\n]+$/gm, "")
          .replace(/^\n+/, "")
          .trimEnd()}\n`,
    );
  return { name, text: files.length > 0 ? files.join("\n") : usualText(manifest) };
}

/** Some packages name their license and forget its text. */
function usualText({ name, license, author }) {
  if (license !== "MIT")
    throw new Error(`${name} brings no text of its license (${license}) along: bundle another`);
  const [, permission] = readFileSync("LICENSE", "utf8").split(/^Copyright .*\n\n/m);
  const holder = (author?.name ?? author ?? `the authors of ${name}`).replace(/ [<(].*/, "");
  return `MIT License\n\nCopyright (c) ${holder}\n\n${permission}`;
}
