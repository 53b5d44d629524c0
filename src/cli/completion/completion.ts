import { GhauthError } from "../../errors.js";
import type { Verb } from "../../command-line/verb.js";
import { renderBash } from "./bash.js";
import { renderFish } from "./fish.js";
import { type Place, placesOf } from "./places.js";
import { renderZsh } from "./zsh.js";

const shells: Record<string, (places: readonly Place[]) => string> = {
  bash: renderBash,
  zsh: renderZsh,
  fish: renderFish,
};

/** `ghauth completion SHELL`: prints a script by which that shell completes the words of `ghauth`. Throws `usage`. */
export function main(_options: object, [shell = ""]: string[], program: Verb): number {
  const render = Object.hasOwn(shells, shell) ? shells[shell] : undefined;
  if (!render) {
    const known = Object.keys(shells).join(", ");
    throw new GhauthError(
      "usage",
      `there is no completion for ${JSON.stringify(shell)}: the shells are ${known}`,
    );
  }
  process.stdout.write(render(placesOf(program)));
  return 0;
}
