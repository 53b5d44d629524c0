#!/usr/bin/env bash
# Removes what bootstrap_user_refresh.sh and install_local.sh set up.
set -euo pipefail

usage='usage: uninstall_user_refresh.sh [--purge] [--dry-run]

Stops and removes the timer and service of the background refresh, and the program (which stays while the chat host is
installed). Asks before it removes the key, the settings, the token and the log; without a terminal it keeps them.

  --purge    remove all of takopi-ghauth without asking: the other units, key, settings, token and log too
  --dry-run  show what would be removed, and remove nothing'
known_options=(--purge --dry-run)

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"

main() {
  local templates
  read_options "$@"
  use_user_manager
  # Before the settings are gone.
  token_env_file=$(setting_of TOKEN_ENV_FILE)
  find_secrets
  remove_units "$refresh_unit.timer" "$refresh_unit.service"
  if [[ $purge == yes ]]; then
    templates=("$root"/systemd/*)
    remove_units "${templates[@]##*/}"
    remove_drop_ins "${templates[@]##*/}"
  fi
  reload_units
  remove_program
  if is_agreed "Remove the App's key, the settings, the token and the log as well?"; then
    remove_secrets
  else
    tell_of_kept
  fi
  tell_of_shim
  say "gh keeps its token until it expires, an hour at most: gh auth logout forgets it at once."
  return "$status"
}

purge=no
status=0

is_agreed() { # is_agreed QUESTION
  local answer=''
  [[ $purge == no ]] || return 0
  [[ -t 0 && $dry_run == no ]] || return 1
  read -r -p "$1 [y/N] " answer || :
  [[ $answer == [yY]* ]]
}

# --- units and program

remove_units() {
  local unit
  for unit in "$@"; do
    if [[ $dry_run == no ]] && is_manager_here; then
      systemctl --user --quiet disable --now "$unit" 2>/dev/null || : # it may not be installed
      systemctl --user stop "$unit" 2>/dev/null || :                  # or never have been enabled
      systemctl --user reset-failed "$unit" 2>/dev/null || :
    fi
    discard "$unit_dir/$unit" "$unit_dir/timers.target.wants/$unit" "$unit_dir/default.target.wants/$unit" \
      "$(backup_of "$unit_dir/$unit")" "$(stamp_of "$unit")"
  done
  [[ $dry_run == no ]] || return 0
  for unit in timers.target.wants default.target.wants; do
    rmdir -- "$unit_dir/$unit" 2>/dev/null || : # it holds other units, or is not there
  done
}

# They are the operator's.
remove_drop_ins() {
  local unit
  for unit in "$@"; do discard_tree "$unit_dir/$unit.d"; done
}

reload_units() {
  [[ $dry_run == no ]] || return 0
  if is_manager_here; then
    systemctl --user daemon-reload
  else
    warn "systemd's user manager cannot be reached: if it runs, a timer in it goes on until systemctl --user daemon-reload."
  fi
}

is_manager_here() { systemctl --user show --property=Version >/dev/null 2>&1; }

remove_program() {
  local path needed_by
  needed_by=$(chat_units)
  if [[ $purge == no && -n $needed_by ]]; then
    say "Kept: $(shown "$program_dir"), because ${needed_by%%$'\n'*} needs it."
    return
  fi
  for path in "$bin_dir"/*; do
    if [[ -L $path && $(readlink -- "$path") == "$program_dir"/* ]]; then discard "$path"; fi
  done
  for path in "${executables[@]}"; do discard "$(backup_of "$bin_dir/$path")"; done
  discard_tree "$program_dir"
}

chat_units() {
  local path
  for path in "$unit_dir"/takopi-ghauth*.service; do
    [[ ! -e $path ]] || say "${path##*/}"
  done
}

# Only its owner knows what else Takopi's environment shall hold.
tell_of_shim() {
  local receipt
  receipt=$(uv tool dir 2>/dev/null)/takopi/uv-receipt.toml || return 0
  grep -qs takopi-ghauth -- "$receipt" || return 0
  warn "Takopi still has /ghauth: run uv tool install --force takopi, with a --with for each package that it shall keep."
}

# --- key, settings, token, state: file by file, for their directories may hold somebody else's as well

state_names=(github-token-refresh.jsonl github-token-refresh.lock refused-token broker-clients.lock)
scratch_name='[0-9]+\.[0-9a-f]{8}\.tmp'
setup_scratch_name='before-setup|[[:alnum:]]{6}'

# Sets $secrets to the files that are there.
secrets=()
find_secrets() {
  local path
  for path in "$key_file" "$settings_file" "$config_dir/github-token.env"; do
    add_secret "$path" "$scratch_name|$setup_scratch_name"
  done
  for path in "${state_names[@]}"; do add_secret "$state_dir/$path" "$scratch_name"; done
  if is_token_env_file_ours; then add_secret "$token_env_file" "$scratch_name"; fi
}

# add_secret PATH SCRATCH: the file, and what was killed while it wrote the file; SCRATCH is how that may end.
add_secret() {
  local path
  for path in "$1" "${1%/*}/.${1##*/}".*; do
    [[ $path == "$1" || $path =~ \.($2)$ ]] || continue
    if [[ -e $path || -L $path ]]; then secrets+=("$path"); fi
  done
}

remove_secrets() {
  discard "${secrets[@]}"
  [[ $dry_run == no ]] || return 0
  remove_if_empty "$state_dir"
  remove_if_empty "$config_dir"
}

# The script itself may be gone with the program.
tell_of_kept() {
  ((${#secrets[@]} > 0)) || return 0
  if [[ -f $0 ]]; then
    say "Kept: $(shown "$config_dir"), with the key, the settings and the token. Remove them with $(printf '%q' "$0") --purge"
  else
    say "Kept: $(shown "$config_dir"), with the key, the settings and the token. Remove them with rm -f --$(printf ' %q' "${secrets[@]}")"
  fi
}

# What a setting names may be anything: only a file that holds nothing else than a token is removed.
token_env_file=''
is_token_env_file_ours() {
  local why
  [[ -n $token_env_file && $token_env_file != "$config_dir/github-token.env" ]] || return
  if [[ $token_env_file != /* ]]; then
    why="it is a relative path, and nobody knows to which directory"
  elif [[ -d $token_env_file ]]; then
    why="it is a directory"
  elif [[ -e $token_env_file && ! -f $token_env_file ]]; then
    why="it is no regular file"
  elif [[ -f $token_env_file ]] && ! holds_only_a_token "$token_env_file"; then
    why="it holds something else than a token"
  else
    return 0
  fi
  warn "left alone: $(shown "$token_env_file"), which TOKEN_ENV_FILE names, because $why."
  return 1
}

holds_only_a_token() {
  local name='(GITHUB_TOKEN|GH_TOKEN)[A-Z_]*'
  LC_ALL=C grep -aqvE $'^(\xEF\xBB\xBF)?[[:space:]]*(#.*|(export[[:space:]]+)?'"$name"'[[:space:]]*=.*)?$' -- "$1"
  (($? == 1)) # no other line; and it could be read
}

setting_of() {
  local line name value found=''
  if [[ -f $settings_file && -r $settings_file ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      if read_assignment "$line" && [[ $name == "$1" ]]; then found=$value; fi
    done <"$settings_file"
  fi
  expanded "$found"
}

# --- removing

# Removes files and links, and no directory, whatever it is called.
discard() {
  local path why
  for path in "$@"; do
    [[ -e $path || -L $path ]] || continue
    if [[ -d $path && ! -L $path ]]; then
      warn "left alone: $(shown "$path"), because it is a directory."
    elif [[ $dry_run == yes ]]; then
      say "would remove $(shown "$path")"
    elif why=$(rm -f -- "$path" 2>&1); then
      say "removed $(shown "$path")"
    else
      not_removed "$path" "$why"
    fi
  done
}

# The same for a directory that is ours by its fixed name, with all that is in it.
discard_tree() {
  local path=$1 why
  if [[ ! -d $path || -L $path ]]; then
    discard "$path"
  elif [[ $dry_run == yes ]]; then
    say "would remove $(shown "$path")"
  elif why=$(rm -rf -- "$path" 2>&1); then
    say "removed $(shown "$path")"
  else
    not_removed "$path" "${why%%$'\n'*}"
  fi
}

not_removed() {
  warn "$(shown "$1") could not be removed: ${2##*: }"
  status=78
}

remove_if_empty() {
  [[ -d $1 ]] || return 0
  rmdir -- "$1" 2>/dev/null || say "Kept: $(shown "$1"), which holds something else: $(names_in "$1")"
}

names_in() { (cd -- "$1" && shopt -s nullglob dotglob && printf '%q ' *); }

main "$@"
