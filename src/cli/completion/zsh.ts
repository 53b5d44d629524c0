import type { Candidate, Place } from "./places.js";
import { commandPlaces, quote, valuedOptions, verbPlaces } from "./shell-text.js";

/** A completion script for zsh: to be evaluated after compinit, or a file `_ghauth` in fpath. */
export function renderZsh(places: readonly Place[]): string {
  const rows = places.map(
    ({ path, words, options }) => `  ${quote(path)})
    candidates=(${renderList(words)})
    options=(${renderList(options)})
    ;;`,
  );
  return `#compdef ghauth
# zsh completion for ghauth: eval "$(ghauth completion zsh)" after compinit, or a file _ghauth in fpath
_ghauth() {
  local place='' index
  local -a candidates options
  for ((index = 2; index < CURRENT; index++)); do
    case $place in
    ${commandPlaces(places)})
      [[ $words[index] == -- ]] || continue
      shift $index words
      ((CURRENT -= index))
      _normal
      return
      ;;
    esac
    case "$place $words[index]" in
    ${verbPlaces(places)}) place+=" $words[index]" ;;
    esac
  done
  case "$place $words[CURRENT-1]" in
  ${valuedOptions(places, { isPath: true })}) _files && return ;;
  ${valuedOptions(places, { isPath: false })}) return 1 ;;
  esac
  case $place in
${rows.join("\n")}
  esac
  if (($#candidates)) && [[ $words[CURRENT] != -* ]]; then
    _describe -t words 'ghauth' candidates
  else
    _describe -o -t options 'option' options
  fi
}
if [[ $funcstack[1] == _ghauth ]]; then _ghauth "$@"; else compdef _ghauth ghauth; fi
`;
}

function renderList(candidates: readonly Candidate[]): string {
  return candidates.map(({ word, help }) => quote(`${word}:${help}`)).join(" ");
}
