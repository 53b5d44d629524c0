import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { isObject, parseJson } from "../files/json.js";

/** The directory of this package, with README.md, LICENSE and takopi.example.toml, wherever it is installed. */
export function ownPackageRoot(): string {
  return dirname(fileURLToPath(import.meta.resolve("takopi-ghauth/package.json")));
}

/** The version of this package. */
export function ownVersion(): string {
  const manifest = parseJson(readFileSync(join(ownPackageRoot(), "package.json"), "utf8"));
  return isObject(manifest) ? String(manifest["version"]) : "unknown";
}
