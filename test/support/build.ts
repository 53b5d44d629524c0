import { execFileSync } from "node:child_process";

/** Tests that run the executables run what users run: the build of the sources as they are now. */
export function setup(): void {
  execFileSync("npm", ["run", "-s", "build"], { stdio: "inherit" });
}
