#!/usr/bin/env bash
# Sets up the background refresh for this user: key, settings, program, timer; then refreshes once and shows the status.
set -euo pipefail
umask 077

usage='usage: GITHUB_APP_ID=… GITHUB_APP_INSTALLATION_ID=… GITHUB_APP_PRIVATE_KEY_PATH=… bootstrap_user_refresh.sh [--dry-run]

Sets up the background refresh of the GitHub token for this user, and refreshes once. The settings of the refresh
script are taken from the environment and kept in ~/.config/takopi/github-app.env; run again, it keeps what is there
and changes what differs. If a step fails, what was there before is put back.

  --dry-run  show what would change, and change nothing'

known_options=(--dry-run)

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"

# All but the key, and GHAUTH_TRIGGER, which belongs to one run.
setting_names=(
  GITHUB_APP_ID GITHUB_APP_INSTALLATION_ID GITHUB_APP_REPOSITORIES GITHUB_APP_PERMISSIONS GITHUB_API_URL
  TOKEN_ENV_FILE GITHUB_TOKEN_SOURCE GHAUTH_BROKER_URL GHAUTH_BROKER_TOKEN_FILE GHAUTH_BROKER_WORKSPACE
  GITHUB_TOKEN_COMMAND GH_AUTH GH_CONFIG_DIR GHAUTH_REFRESH_DEADLINE_SECONDS GHAUTH_HOSTS
  HTTPS_PROXY NO_PROXY NODE_EXTRA_CA_CERTS
)
path_names=(TOKEN_ENV_FILE GHAUTH_BROKER_TOKEN_FILE GH_CONFIG_DIR NODE_EXTRA_CA_CERTS)
key_names=(GITHUB_APP_PRIVATE_KEY GITHUB_APP_PRIVATE_KEY_PATH GITHUB_APP_PRIVATE_KEY_FILE)

main() {
  read_options "$@"
  read_settings
  check_needs
  stop_if_missing

  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  trap finish EXIT
  ensure_dir "$program_dir"
  [[ $dry_run == yes ]] || take_lock
  install_files
  if [[ $dry_run == yes ]]; then
    ((${#changed[@]} > 0)) || say "Nothing would change."
    say "would then refresh once, and see to it that the timer is enabled and running"
    return
  fi
  start_units
  is_done=yes
  keep_all
  # A set-up that was killed may have left copies of the key.
  rm -f -- "${key_file%/*}/.${key_file##*/}".* "${settings_file%/*}/.${settings_file##*/}".*
  drop_old_releases
  show_result
}

# --- settings: the environment, else what is in github-app.env already

declare -A settings=()

read_settings() {
  local line name value
  # Shells often have the lower-case names.
  HTTPS_PROXY=${HTTPS_PROXY:-${https_proxy:-}} NO_PROXY=${NO_PROXY:-${no_proxy:-}}
  if [[ -r $settings_file ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      if read_assignment "$line"; then settings[$name]=$value; fi
    done <"$settings_file"
  fi
  for name in "${setting_names[@]}" "${key_names[@]}"; do
    [[ -z ${!name:-} ]] || settings[$name]=${!name}
  done
  export -n GITHUB_APP_PRIVATE_KEY # no program that is called here needs it
  for name in "${path_names[@]}"; do
    [[ ${settings[$name]:-/} == [/~]* ]] || settings[$name]=$PWD/${settings[$name]}
  done
  # Git, say, may hand over a list on several lines.
  for name in GITHUB_APP_REPOSITORIES GITHUB_APP_PERMISSIONS; do
    [[ -z ${settings[$name]:-} ]] || settings[$name]=${settings[$name]//$'\n'/ }
  done
  # One key: the environment's, under whichever name, beats the file's.
  if [[ -n ${GITHUB_APP_PRIVATE_KEY:-} ]]; then
    unset 'settings[GITHUB_APP_PRIVATE_KEY_PATH]' 'settings[GITHUB_APP_PRIVATE_KEY_FILE]'
  elif [[ -n ${GITHUB_APP_PRIVATE_KEY_PATH:-}${GITHUB_APP_PRIVATE_KEY_FILE:-} ]]; then
    unset 'settings[GITHUB_APP_PRIVATE_KEY]'
    [[ -n ${GITHUB_APP_PRIVATE_KEY_PATH:-} ]] || unset 'settings[GITHUB_APP_PRIVATE_KEY_PATH]'
  fi
  token_env_dir=$(expanded "${settings[TOKEN_ENV_FILE]:-$config_dir/github-token.env}")
  token_env_dir=${token_env_dir%/*}
  gh_config_dir=$(expanded "${settings[GH_CONFIG_DIR]:-$config_home/gh}")
}

# github-app.env as it is to be: what the environment sets takes its line's place, the rest stays as somebody wrote it.
render_settings() {
  local line name value
  local -A written=()
  if [[ -r $settings_file ]]; then
    while IFS= read -r line || [[ -n $line ]]; do
      read_assignment "$line" || name=''
      case " ${key_names[*]} " in *" ${name:--} "*) continue ;; esac
      if [[ " ${setting_names[*]} " == *" ${name:--} "* && -n ${!name:-} ]]; then
        [[ -n ${written[$name]:-} ]] || render_setting "$name"
        written[$name]=yes
      else
        printf '%s\n' "$line"
      fi
    done <"$settings_file"
  fi
  for name in "${setting_names[@]}"; do
    [[ -z ${!name:-} || -n ${written[$name]:-} ]] || render_setting "$name"
  done
}

render_setting() {
  local value=${settings[$1]} quote=''
  case $value in
  \"* | *\") quote="'" ;;
  \'* | *\' | [[:space:]]* | *[[:space:]]) quote='"' ;;
  esac
  printf '%s=%s%s%s\n' "$1" "$quote" "$value" "$quote"
}

# --- what it needs

check_needs() {
  need_node
  need_program
  need_user_manager
  check_settings
  command -v flock >/dev/null || missing+=("flock, from util-linux: without it two refreshes at once would both mint")
  [[ ${settings[GH_AUTH]:-auto} == off ]] || command -v gh >/dev/null ||
    warn "gh is not installed: only the token env file will be updated. Install gh, or set GH_AUTH=off."
}

check_settings() {
  local name source=${settings[GITHUB_TOKEN_SOURCE]:-app}
  for name in "${setting_names[@]}"; do
    [[ ${settings[$name]:-} != *[$'\n\r']* ]] || missing+=("$name on one line: its value has a line break")
  done
  need_own_directory TOKEN_ENV_FILE "$token_env_dir"
  [[ ${settings[GH_AUTH]:-auto} == off ]] || need_own_directory GH_CONFIG_DIR "$gh_config_dir"
  case $source in
  app)
    need_setting GITHUB_APP_ID "the App ID (or client ID) from the App's settings page"
    [[ -n ${settings[GITHUB_APP_INSTALLATION_ID]:-} || -n ${settings[GITHUB_APP_REPOSITORIES]:-} ]] ||
      missing+=("GITHUB_APP_INSTALLATION_ID: the number at the end of the installation's settings URL (or GITHUB_APP_REPOSITORIES, to look it up)")
    find_key
    ;;
  broker)
    need_setting GHAUTH_BROKER_URL "the broker's base URL"
    need_setting GHAUTH_BROKER_TOKEN_FILE "the file with this host's bearer token"
    ;;
  command) need_setting GITHUB_TOKEN_COMMAND "the command that prints a token" ;;
  *) missing+=("a GITHUB_TOKEN_SOURCE that is app, broker or command: it is $source") ;;
  esac
}

need_setting() { [[ -n ${settings[$1]:-} ]] || missing+=("$1: $2"); }

# need_own_directory NAME DIRECTORY: the service's sandbox lets it write to that whole directory, and has a /tmp of its own.
need_own_directory() {
  if [[ $HOME/ == "${2%/}"/* ]]; then
    missing+=("a directory of its own for $1: the refresh service must not write to all of ${2:-/}")
  elif [[ $2/ == @(/tmp|/var/tmp)/* && $2/ != "$HOME"/* ]]; then
    missing+=("a place outside of /tmp for $1: the refresh service has a /tmp of its own")
  fi
}

# Sets $key to the PEM to be installed, and $key_source to the file that it comes from; $key stays empty where the key
# in place is to be used.
key='' key_source=''
find_key() {
  local path
  if [[ -n ${settings[GITHUB_APP_PRIVATE_KEY]:-} ]]; then
    key=${settings[GITHUB_APP_PRIVATE_KEY]//'\n'/$'\n'}
    [[ $key == *-----BEGIN* ]] || key=$(printf '%s' "$key" | base64 --decode 2>/dev/null | tr -d '\0') || key=''
    [[ $key == *-----BEGIN* ]] || missing+=("a GITHUB_APP_PRIVATE_KEY that is PEM, or base64 of it: its value is neither")
    key=${key%"${key##*[![:space:]]}"}$'\n'
    return
  fi
  path=$(expanded "${settings[GITHUB_APP_PRIVATE_KEY_PATH]:-${settings[GITHUB_APP_PRIVATE_KEY_FILE]:-$key_file}}")
  if [[ ! -f $path && -f $key_file ]]; then
    # It was told to remove the other copy, and the same command is run again.
    warn "there is no $path: the key that is installed already, $(shown "$key_file"), stays in use."
  elif [[ ! -f $path ]]; then
    missing+=("the App's private key: there is no file $path. Give its path in GITHUB_APP_PRIVATE_KEY_PATH")
  elif [[ ! -r $path ]]; then
    missing+=("the App's private key: $path is not readable for $(id -un)")
  elif [[ ! $path -ef $key_file ]]; then
    key=$(tr -d '\0' <"$path")$'\n'
    key_source=$path
  fi
}

# --- the set-up

install_files() {
  local at
  ensure_dir "$config_dir" 0700
  ensure_dir "$state_dir" 0700
  ensure_dir "$token_env_dir"
  [[ ${settings[GH_AUTH]:-auto} == off ]] || ensure_dir "$gh_config_dir"
  ensure_dir "$unit_dir"
  if [[ -n $key ]]; then
    put 0600 "$key_file" "$key"
  elif [[ -f $key_file && $(stat -Lc %a -- "$key_file") != 600 ]]; then
    note_change "$key_file" "mode 0600"
    [[ $dry_run == yes ]] || chmod -- 0600 "$key_file"
  fi
  put 0600 "$settings_file" "$(render_settings)"$'\n'
  resume_chat_host
  install_program
  at=${#undo_paths[@]}
  put 0644 "$unit_dir/$refresh_unit.service" "$(render_unit "$refresh_unit.service")"$'\n'
  put 0644 "$unit_dir/$refresh_unit.timer" "$(render_unit "$refresh_unit.timer")"$'\n'
  ((${#undo_paths[@]} == at)) || are_units_changed=yes
}

are_units_changed=no
had_timer=''
start_units() {
  had_timer="$(systemctl --user is-enabled "$refresh_unit.timer" 2>/dev/null || :) $(systemctl --user is-active "$refresh_unit.timer" 2>/dev/null || :)"
  is_started=yes
  systemctl --user daemon-reload
  [[ $(systemctl --user show --property=LoadState --value "$refresh_unit.timer") == loaded ]] ||
    fail 78 "systemd's user manager finds no unit in $unit_dir: is its home directory another one?"
  systemctl --user --quiet enable "$refresh_unit.timer"
  if [[ $are_units_changed == yes ]]; then
    systemctl --user restart "$refresh_unit.timer"
  else
    systemctl --user start "$refresh_unit.timer"
  fi
  refresh_once # after the timer, for whose sake systemd remembers how its service ended
}

# The service itself is tried, sandbox and all. One that runs or waits to try again has the old settings.
refresh_once() {
  local before status complaint
  stop_service
  before=$(last_attempt)
  say "refreshing the token…"
  if complaint=$(systemctl --user start "$refresh_unit.service" 2>&1); then
    print_attempt
    return
  fi
  status=$(systemctl --user show --property=ExecMainStatus --value "$refresh_unit.service")
  if [[ $(last_attempt) != "$before" ]]; then
    print_attempt >&2
  else
    printf 'The refresh service failed before it could try (%s, status %s):\n%s\n' \
      "$(systemctl --user show --property=Result --value "$refresh_unit.service")" "$status" "$complaint" >&2
  fi
  [[ $status == 75 ]] || status=78
  exit "$status"
}

stop_service() { systemctl --user stop "$refresh_unit.service" 2>/dev/null || :; } # one that never ran is not loaded

refresh_log=$state_dir/github-token-refresh.jsonl

last_attempt() { if [[ -f $refresh_log ]]; then tail -n 1 -- "$refresh_log"; fi; }

print_attempt() {
  last_attempt | "$node" -e 'console.log(JSON.parse(require("fs").readFileSync(0, "utf8")).sentence)'
}

# The chat host's sandbox hides the very files that were there when it started: it must not run while one is replaced.
is_chat_host_paused=no
before_replacing() {
  [[ $1 == "$key_file" || $1 == "$settings_file" ]] || return 0
  if systemctl --user --quiet is-active "$chat_unit" 2>/dev/null; then
    is_chat_host_paused=yes
    systemctl --user stop "$chat_unit"
  fi
}

resume_chat_host() {
  if [[ $is_chat_host_paused == no ]]; then return; fi
  is_chat_host_paused=no
  systemctl --user start "$chat_unit" || warn "$chat_unit did not start again: systemctl --user status $chat_unit"
}

is_done=no
is_started=no
finish() {
  local status=$?
  trap - EXIT INT TERM HUP
  set +e
  if [[ $is_done == no && $dry_run == no ]]; then
    put_back_all
    printf '%s: this set-up was not completed; what was there before is in place again.\n' "${0##*/}" >&2
  fi
  # The codes of programs that were called along the way mean nothing to our caller.
  case $status in 0 | 64 | 75 | 78 | 130 | 143) ;; *) status=78 ;; esac
  exit "$status"
}

put_back_all() {
  [[ $is_started == no ]] || stop_service
  put_back
  resume_chat_host
  [[ $is_started == yes ]] || return
  [[ $had_timer == enabled* ]] || systemctl --user --quiet disable "$refresh_unit.timer" 2>/dev/null
  systemctl --user daemon-reload
  systemctl --user reset-failed "$refresh_unit.service" 2>/dev/null
  if [[ $had_timer == *" active" ]]; then
    systemctl --user restart "$refresh_unit.timer"
  else
    systemctl --user stop "$refresh_unit.timer" 2>/dev/null
    [[ $had_timer == enabled* ]] || rm -f -- "$(stamp_of "$refresh_unit.timer")"
  fi
}

show_result() {
  local token_env_file=${settings[TOKEN_ENV_FILE]:-} table
  say ""
  # It exits 1 for a token that is not fresh, and says so.
  if [[ -z $token_env_file || -e $HOME/.takopi/takopi.toml ]]; then
    "$bin_dir/ghauth" status || :
  else
    token_env_file=${token_env_file//\\/\\\\}
    table="[plugins.ghauth]"$'\n'"token_env_file = \"${token_env_file//\"/\\\"}\""
    "$bin_dir/ghauth" status --config <(printf '%s\n' "$table") || :
    say "For /ghauth to find the token, put these lines into ~/.takopi/takopi.toml:"$'\n'"$table"
  fi
  say ""
  if [[ -n $key_source ]]; then
    say "The key is in $(shown "$key_file"). Remove the other copy now: rm -- $(printf '%q' "$key_source")"
  fi
  if [[ -e $bin_dir/git-credential-ghauth ]]; then
    say "For git to use the token, run: git config --global credential.https://github.com.helper ghauth"
    [[ ":$PATH:" == *":$bin_dir:"* ]] || warn "$bin_dir is not on your PATH: add it, so that git and you find ghauth."
  fi
  [[ -e /var/lib/systemd/linger/$(id -un) ]] ||
    warn "lingering is off for $(id -un): after the last logout nothing refreshes. Run: loginctl enable-linger $(id -un)"
}

main "$@"
