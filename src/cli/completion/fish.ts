import type { Place } from "./places.js";
import { quote, verbPlaces } from "./shell-text.js";

/** A completion script for fish. */
export function renderFish(places: readonly Place[]): string {
  const rows = places.flatMap(({ path, words, options, valued, takesCommand }) => {
    const row = (completion: string) => `complete -c ghauth -n "__ghauth_place ${quote(path)}" ${completion}`;
    return [
      ...words.map(({ word, help }) => row(`-a ${word} -d ${quote(help)}`)),
      ...options.map(({ word, help }) => {
        const value = valued.find(({ flag }) => flag === word);
        const takes = value === undefined ? "" : value.isPath ? " -r -F" : " -x";
        return row(`-l ${word.slice(2)}${takes} -d ${quote(help)}`);
      }),
      ...(takesCommand ? [row("-a '(__ghauth_command)'")] : []),
    ];
  });
  return `# fish completion for ghauth: ghauth completion fish | source
function __ghauth_place
  set -l place ''
  for word in (commandline -opc)[2..]
    switch "$place $word"
      case ${verbPlaces(places).replaceAll(" | ", " ")}
        set place "$place $word"
    end
  end
  test "$place" = "$argv[1]"
end
function __ghauth_command
  set -l words (commandline -opc)
  set -l end (contains -i -- -- $words)
  and complete -C (string join ' ' -- $words[(math $end + 1)..] (commandline -ct))
end
complete -c ghauth -f
${rows.join("\n")}
`;
}
