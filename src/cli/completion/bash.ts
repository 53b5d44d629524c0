import type { Place } from "./places.js";
import { commandPlaces, quote, valuedOptions, verbPlaces } from "./shell-text.js";

/** A completion script for bash 4 or later; it needs no bash-completion, and uses that for `exec` where it is loaded. */
export function renderBash(places: readonly Place[]): string {
  const rows = places.map(({ path, words, options }) => {
    const candidates = [...words, ...options].map(({ word }) => word).join(" ");
    return `  ${quote(path)}) candidates=${quote(candidates)} ;;`;
  });
  return `# bash completion for ghauth: eval "$(ghauth completion bash)"
_ghauth() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} place='' candidates='' index
  COMPREPLY=()
  for ((index = 1; index < COMP_CWORD; index++)); do
    case $place in
    ${commandPlaces(places)})
      [[ \${COMP_WORDS[index]} == -- ]] || continue
      if declare -F _command_offset >/dev/null; then
        _command_offset $((index + 1))
      elif ((COMP_CWORD == index + 1)); then
        mapfile -t COMPREPLY < <(compgen -c -- "$word")
      else
        compopt -o default
      fi
      return
      ;;
    esac
    case "$place \${COMP_WORDS[index]}" in
    ${verbPlaces(places)}) place+=" \${COMP_WORDS[index]}" ;;
    esac
  done
  case "$place $before" in
  ${valuedOptions(places, { isPath: true })})
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$word")
    return
    ;;
  ${valuedOptions(places, { isPath: false })}) return ;;
  esac
  case $place in
${rows.join("\n")}
  esac
  mapfile -t COMPREPLY < <(compgen -W "$candidates" -- "$word")
}
complete -F _ghauth ghauth
`;
}
