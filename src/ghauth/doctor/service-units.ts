import { basename, dirname, join } from "node:path";
import type { Environment, Paths } from "../../system/paths.js";
import { listDirectory, textOf } from "./text-file.js";

/** A file of a service's unit, or a drop-in of it. */
export type UnitFile = { unit: string; path: string; isSystem: boolean; text: string };

/** The files of services that somebody wrote for this user, or for this system. */
export function readServiceUnits({ paths, env }: { paths: Paths; env: Environment }): UnitFile[] {
  const user = join(env["XDG_CONFIG_HOME"] || join(paths.home, ".config"), "systemd/user");
  return [
    ...unitsIn(user, false),
    ...unitsIn("/etc/systemd/user", false),
    ...unitsIn("/etc/systemd/system", true),
  ];
}

function unitsIn(directory: string, isSystem: boolean): UnitFile[] {
  return listDirectory(directory)
    .flatMap((path) =>
      path.endsWith(".service.d") ? listDirectory(path).filter((each) => each.endsWith(".conf")) : [path],
    )
    .flatMap((path) => {
      const isDropIn = path.endsWith(".conf");
      const unit = isDropIn ? basename(dirname(path), ".d") : basename(path);
      const text = isDropIn || path.endsWith(".service") ? textOf(path) : null;
      return text === null || isOurs(unit) ? [] : [{ unit, path, isSystem, text }];
    });
}

/** The unit of the refresh, and those that come with it, know what they do. */
function isOurs(unit: string): boolean {
  return /^takopi-(?:github-token|ghauth)[a-z-]*\.service$/.test(unit);
}
