import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

/** The directory of this package, with README.md, LICENSE and takopi.example.toml, wherever it is installed. */
export function ownPackageRoot(): string {
  return dirname(fileURLToPath(import.meta.resolve("takopi-ghauth/package.json")));
}
