import { join } from "node:path";
import { readRegularFile } from "../files/regular-file.js";

/**
 * Who `gh` is logged in as, by its hosts.yml: on github.com, else on the first host there. Null where gh has no
 * configuration. The file is gh's own, always written in this form, so two lines are picked out of it without a parser.
 */
export function readGhLogin(configDir: string): { login: string | null } | null {
  let text: string;
  try {
    ({ text } = readRegularFile(join(configDir, "hosts.yml")));
  } catch {
    return null; // not there, or not ours to read: then gh has no login for us
  }
  const hosts = text.split(/^(?=\S)/m).filter((host) => /^\S+:\s*$/m.test(host));
  const host = hosts.find((entry) => entry.startsWith("github.com:")) ?? hosts[0];
  if (host === undefined) return null;
  return { login: /^ {4}user: *"?([^"\s]+)"?\s*$/m.exec(host)?.[1] ?? null };
}
