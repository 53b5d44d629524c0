import { GhauthError } from "../errors.js";

/**
 * Throws `config_invalid` where NODE_DEBUG has Node print the environment of each program that it starts: tokens and
 * keys stand there, and by now nothing can make this Node keep silent.
 */
export function refuseToShowEnvironments(nodeDebug: string): void {
  if (!nodeDebug.split(",").some((pattern) => matches(pattern, "child_process"))) return;
  throw new GhauthError(
    "config_invalid",
    `NODE_DEBUG=${nodeDebug} has Node print the environment of each program that is started, and tokens with it: leave child_process out.`,
  );
}

/** As Node reads NODE_DEBUG: in any case, and `*` is anything (https://nodejs.org/api/util.html#utildebuglogsection-callback). */
function matches(pattern: string, section: string): boolean {
  const literals = pattern.split("*").map((part) => part.replaceAll(/[|\\{}()[\]^$+?.]/g, String.raw`\$&`));
  return new RegExp(`^${literals.join(".*")}$`, "i").test(section);
}
