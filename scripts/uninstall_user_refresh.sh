#!/usr/bin/env bash
# Removes what bootstrap_user_refresh.sh and install_local.sh set up.
set -euo pipefail

usage='usage: uninstall_user_refresh.sh [--purge] [--dry-run]

Stops and removes the timer and service of the background refresh, and the program (which stays while the chat host or
the broker is installed). Asks before it removes the rest, and keeps that without a terminal: key, settings, token and
log; the lines of git'"'"'s configuration that name ghauth; ~/.takopi/takopi.toml and the secrets that it names.

  --purge    remove all of takopi-ghauth without asking, the other units too. What others use or own as well is kept and
             named: takopi.toml, and whatever a setting names that is not a token file
  --dry-run  show what would be removed, and remove nothing

XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_DATA_HOME (for the notes that systemd keeps of timers) say where it looks.'
known_options=(--purge --dry-run)
purge=no
status=0

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"
# shellcheck source=scripts/git-helper-lines.bash
source "${BASH_SOURCE[0]%/*}/git-helper-lines.bash"

main() {
  local templates
  read_options "$@"
  cd /
  use_user_manager
  # Before settings and program are gone.
  read_named_files
  find_secrets
  remove_units "${refresh_units[@]}"
  if [[ $purge == yes ]]; then
    templates=("$root"/systemd/*)
    remove_units "${templates[@]##*/}"
    remove_drop_ins "${templates[@]##*/}"
  fi
  reload_units
  if is_program_needed; then
    say "Kept: $(shown "$program_dir"), because $needed_by needs it."
    see_to_secrets
  else
    remove_program
    see_to_secrets
    see_to_git
    see_to_takopi
  fi
  remove_empty_directories
  tell_of_shim
  say "gh keeps its token until it expires, an hour at most: gh auth logout forgets it at once."
  return "$status"
}

is_agreed() { # is_agreed QUESTION
  local answer=''
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

# Sets $needed_by to a unit that stays.
is_program_needed() {
  local units=("$unit_dir"/takopi-ghauth*.service)
  needed_by=${units[0]##*/}
  [[ $purge == no && -e ${units[0]} ]]
}

remove_program() {
  local path
  for path in "$bin_dir"/*; do
    if [[ -L $path && $(readlink -- "$path") == "$program_dir"/* ]]; then discard "$path"; fi
  done
  for path in "${executables[@]}"; do discard "$(backup_of "$bin_dir/$path")"; done
  discard_tree "$program_dir"
}

# Only its owner knows what else Takopi's environment shall hold.
tell_of_shim() {
  local receipt
  receipt=$(uv tool dir 2>/dev/null)/takopi/uv-receipt.toml || return 0
  grep -qs takopi-ghauth -- "$receipt" || return 0
  warn "Takopi still has /ghauth: run uv tool install --force takopi, with a --with for each package that it shall keep."
}

# --- key, settings, token, state: file by file, for their directories may hold somebody else's as well

config_names=(github-app.pem github-app.env github-token.env broker.toml)
state_names=(
  github-token-refresh.jsonl github-token-refresh.lock git.lock refused-token alerts.json alerts.json.lock revoke-asked.json broker-clients.lock
)
state_directories=("$state_dir"/{refused,git,git-owners,kept} "$config_dir/github-tokens")
scratch_name='[0-9]+\.[0-9a-f]{8}\.tmp'
setup_scratch_name='before-setup|[[:alnum:]]{6}'

# Sets $secrets to the files that are there.
find_secrets() {
  local name path
  secrets=()
  for name in "${config_names[@]}"; do add_secret "$config_dir/$name" "$scratch_name|$setup_scratch_name"; done
  for name in "${state_names[@]}"; do add_secret "$state_dir/$name" "$scratch_name"; done
  for path in "${state_directories[@]}"; do
    [[ -L $path ]] || while IFS= read -r -d '' name; do secrets+=("$name"); done < <(
      find "$path" -maxdepth 2 ! -type d -print0 2>/dev/null
    )
  done
  if [[ -n $token_env_file ]]; then add_secret "$token_env_file" "$scratch_name"; fi
  for path in "${gh_scratches[@]}"; do
    for name in hosts.yml config.yml; do add_secret "$path/$name" "$scratch_name"; done
  done
}

# add_secret PATH SCRATCH: the file, and what was killed while it wrote the file; SCRATCH is how that may end.
add_secret() {
  local path
  for path in "$1" "${1%/*}/.${1##*/}".*; do
    [[ $path == "$1" || $path =~ \.($2)$ ]] || continue
    if [[ -e $path || -L $path ]]; then secrets+=("$path"); fi
  done
}

see_to_secrets() {
  if [[ $purge == yes ]] || is_agreed "Remove the App's key, the settings, the token and the log as well?"; then
    discard "${secrets[@]}"
    tell_of_named_files
  elif ((${#secrets[@]} > 0)); then
    # The script itself may be gone with the program.
    say "Kept: $(shown "$config_dir"), with the key, the settings and the token. Remove them with $(
      script=$root/scripts/${0##*/}
      if [[ -f $script ]]; then printf '%q --purge' "$script"; else printf 'rm -f --' && printf ' %q' "${secrets[@]}"; fi
    )"
  fi
}

remove_empty_directories() {
  local path
  [[ $dry_run == no ]] || return 0
  for path in "${state_directories[@]}" "${gh_scratches[@]}"; do
    [[ -L $path ]] || find "$path" -depth -type d -empty -delete 2>/dev/null || : # it may not be there
  done
  if ((${#secrets[@]} > 0)) && [[ -e ${secrets[0]} ]]; then return; fi
  for path in "$state_dir" "$config_dir"; do
    [[ -d $path ]] || continue
    rmdir -- "$path" 2>/dev/null || say "Kept: $(shown "$path"), which holds something else: $(names_in "$path")"
  done
}

names_in() { (cd -- "$1" && shopt -s nullglob dotglob && printf '%q ' *); }

# --- what settings name may be anything

# Sets $token_env_file, if that is ours; $gh_scratches to what killed refreshes left of gh's logins; and $named_files to
# "SETTING PATH" of secrets that are the operator's.
read_named_files() {
  local name path line
  token_env_file='' gh_scratches=() named_files=()
  if ! read_saved_settings; then
    [[ -f $settings_file ]] && line=$(grep -aE 'TOKEN_ENV_FILE *=' -- "$settings_file" 2>/dev/null) || return 0
    warn "left alone: what $(shown "$settings_file") names ($line), because it cannot be used: ${complaint##*$'\n'}"
    return
  fi
  path=$(value_of TOKEN_ENV_FILE "$saved_settings")
  if [[ $path != "$config_dir/github-token.env" ]] && is_token_file "$path"; then token_env_file=$path; fi
  path=$(value_of GH_CONFIG_DIR "$saved_settings")
  # A link of such a name leads to what is somebody else's.
  [[ -z $path ]] || for path in "$path"/.takopi-ghauth.*.tmp; do [[ -L $path ]] || gh_scratches+=("$path"); done
  for name in GITHUB_APP_PRIVATE_KEY_PATH GHAUTH_BROKER_TOKEN_FILE; do
    path=$(value_of "$name" "$saved_settings")
    [[ $path == "$key_file" || ! -f $path ]] || named_files+=("$name $path")
  done
}

# Whether TOKEN_ENV_FILE is a file of ours: a regular one, which holds nothing else than a token. Else it says why not.
is_token_file() {
  local path=$1 why
  if is_relative "$path"; then
    path=${path#/}
    why="it is a relative path, and nobody knows to which directory"
  elif [[ -d $path ]]; then
    why="it is a directory"
  elif [[ -e $path && ! -f $path ]]; then
    why="it is no regular file"
  elif [[ -f $path ]] && ! holds_only_a_token "$path"; then
    why="it holds something else than a token"
  else
    return 0
  fi
  warn "left alone: $(shown "$path"), which TOKEN_ENV_FILE names, because $why."
  return 1
}

# In another directory a relative path is another file.
is_relative() { [[ $1 != "$(value_of TOKEN_ENV_FILE "$(cd "$root/scripts" && ask_for_saved_settings)")" ]]; }

holds_only_a_token() {
  local name='(GITHUB_TOKEN|GH_TOKEN)[A-Z_]*'
  LC_ALL=C grep -aqvE $'^(\xEF\xBB\xBF)?[[:space:]]*(#.*|(export[[:space:]]+)?'"$name"'[[:space:]]*=.*)?$' -- "$1"
  (($? == 1)) # no other line; and it could be read
}

tell_of_named_files() {
  local named
  for named in "${named_files[@]}"; do
    say "Kept: $(shown "${named#* }"), which ${named%% *} names. Remove it if nothing else needs it."
  done
}

# --- git, and the chat side

see_to_git() {
  find_git_helper_lines
  if ((${#git_lists[@]} == 0)); then
    :
  elif [[ $purge == yes ]] || is_agreed "Remove ghauth from git's credential helpers as well?"; then
    remove_git_helper_lines
  else
    tell_of_git_helper_lines
  fi
  tell_of_git_strangers
}

see_to_takopi() {
  local config=$HOME/.takopi/takopi.toml names path
  [[ -f $config ]] || return 0
  find_chat_secrets "$config"
  names=$(for path in "$config" "${chat_secrets[@]}"; do shown "$path" && printf ', '; done)
  names=${names%, }
  if [[ $purge == no ]] && is_agreed "Remove $names as well? Takopi itself reads takopi.toml, too."; then
    discard "$config" "${chat_secrets[@]}"
  else
    say "Kept: $names. Takopi itself reads takopi.toml, too; remove what nothing else needs."
  fi
}

# Sets $chat_secrets to the files that takopi.toml names, as far as they are written as one usually does.
find_chat_secrets() {
  local line path
  chat_secrets=()
  while IFS= read -r line || [[ -n $line ]]; do
    [[ $line =~ ^[[:space:]]*(bot_token_file|token_env_file)[[:space:]]*=[[:space:]]*(\"([^\"\\]+)\"|\'([^\']+)\') ]] || continue
    path=$(expanded "${BASH_REMATCH[3]}${BASH_REMATCH[4]}")
    [[ $path == /* && -f $path ]] || continue
    [[ ${BASH_REMATCH[1]} == bot_token_file ]] || holds_only_a_token "$path" || continue
    chat_secrets+=("$path")
  done <"$1"
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
      not_removed "$(shown "$path")" "${why##*: }"
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
    not_removed "$(shown "$path")" "${why##*: }"
  fi
}

not_removed() {
  warn "$1 could not be removed: $2"
  status=78
}

main "$@"
