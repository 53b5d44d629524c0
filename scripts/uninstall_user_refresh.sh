#!/usr/bin/env bash
# Removes what bootstrap_user_refresh.sh set up.
set -euo pipefail

usage='usage: uninstall_user_refresh.sh [--purge]

Stops and removes the timer and service of the background refresh, and the program (which stays while the chat host is
installed). Asks before it removes the key, the settings, the token and the log; without a terminal it keeps them.

  --purge  remove all of takopi-ghauth without asking: the chat host'"'"'s unit, key, settings, token and log too'

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"

main() {
  local purge=no templates
  if is_asked_for --purge "$@"; then purge=yes; fi
  use_user_manager
  token_env_file=$(setting_of TOKEN_ENV_FILE) # before the settings are gone
  remove_units "$refresh_unit.timer" "$refresh_unit.service"
  if [[ $purge == yes ]]; then
    templates=("$root"/systemd/*)
    remove_units "${templates[@]##*/}"
    remove_drop_ins "${templates[@]##*/}"
  fi
  reload_units
  remove_program
  if [[ $purge == yes ]] || is_agreed; then
    remove_secrets
  else
    tell_of_kept
  fi
  tell_of_shim
  say "gh keeps its token until it expires, an hour at most: gh auth logout forgets it at once."
}

# The script itself may be gone with the program.
tell_of_kept() {
  local path command="rm -rf --"
  if [[ -f $0 ]]; then
    command="$0 --purge"
  else
    for path in "$config_dir" "$state_dir" ${token_env_file:+"$token_env_file"}; do command+=" ${path@Q}"; done
  fi
  say "Kept: $(shown "$config_dir"), with the key, the settings and the token. Remove them with $command"
}

remove_units() {
  local unit
  for unit in "$@"; do
    if is_manager_here; then
      systemctl --user --quiet disable --now "$unit" 2>/dev/null || : # it may not be installed
      systemctl --user stop "$unit" 2>/dev/null || :                  # or never have been enabled
      systemctl --user reset-failed "$unit" 2>/dev/null || :
    fi
    discard "$unit_dir/$unit" "$unit_dir/timers.target.wants/$unit" "$unit_dir/default.target.wants/$unit" \
      "$(backup_of "$unit_dir/$unit")" "$(stamp_of "$unit")"
  done
  for unit in timers.target.wants default.target.wants; do
    rmdir -- "$unit_dir/$unit" 2>/dev/null || : # it holds other units, or is not there
  done
}

# They are the operator's.
remove_drop_ins() {
  local unit
  for unit in "$@"; do discard "$unit_dir/$unit.d"; done
}

reload_units() {
  if is_manager_here; then
    systemctl --user daemon-reload
  else
    warn "systemd's user manager cannot be reached: if it runs, a timer in it goes on until systemctl --user daemon-reload."
  fi
}

is_manager_here() { systemctl --user show --property=Version >/dev/null 2>&1; }

remove_program() {
  local name path
  for path in "$unit_dir"/takopi-ghauth*.service; do
    [[ -e $path ]] || continue
    say "Kept: $(shown "$program_dir"), because ${path##*/} needs it."
    return
  done
  for name in "${executables[@]}"; do
    path=$bin_dir/$name
    if [[ -L $path && $(readlink -- "$path") == "$program_dir"/* ]]; then discard "$path"; fi
    discard "$(backup_of "$path")"
  done
  discard "$program_dir"
}

# Only its owner knows what else Takopi's environment shall hold.
tell_of_shim() {
  local receipt
  receipt=$(uv tool dir 2>/dev/null)/takopi/uv-receipt.toml || return 0
  grep -qs takopi-ghauth -- "$receipt" || return 0
  warn "Takopi still has /ghauth: run uv tool install --force takopi, with a --with for each package that it shall keep."
}

is_agreed() {
  local answer=''
  [[ -t 0 ]] || return 1
  read -r -p "Remove the App's key, the settings, the token and the log as well? [y/N] " answer || :
  [[ $answer == [yY]* ]]
}

token_env_file=''
remove_secrets() {
  local path
  for path in "$key_file" "$settings_file" "$config_dir/github-token.env" ${token_env_file:+"$token_env_file"}; do
    discard "$path" "${path%/*}/.${path##*/}".* # what was killed left the latter
  done
  discard "$state_dir"
  discard_if_empty "$config_dir"
}

setting_of() {
  local line name value found=''
  if [[ -r $settings_file ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      if read_assignment "$line" && [[ $name == "$1" ]]; then found=$value; fi
    done <"$settings_file"
  fi
  expanded "$found"
}

discard() {
  local path
  for path in "$@"; do
    [[ -e $path || -L $path ]] || continue
    rm -rf -- "$path"
    say "removed $(shown "$path")"
  done
}

discard_if_empty() {
  [[ ! -d $1 ]] || rmdir -- "$1" 2>/dev/null || say "Kept: $(shown "$1"), which holds something else."
}

main "$@"
