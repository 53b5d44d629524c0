#!/usr/bin/env bash
# Sets up the background refresh for this user: key, settings, program, timer; then refreshes once and shows the status.
set -euo pipefail
umask 077

usage='usage: GITHUB_APP_ID=… GITHUB_APP_INSTALLATION_ID=… GITHUB_APP_PRIVATE_KEY_PATH=… bootstrap_user_refresh.sh [--dry-run]

Sets up the background refresh of the GitHub token for this user, and refreshes once. The settings of the refresh
script are taken from the environment and kept in ~/.config/takopi/github-app.env; run again, it keeps what is there
and changes what differs. If a step fails, what was there before is put back.

  --dry-run  show what would change, and change nothing

GHAUTH_NODE is the path of the node to be used, where that is not the one on PATH.'

known_options=(--dry-run)

# shellcheck source=scripts/setup.bash
source "${BASH_SOURCE[0]%/*}/setup.bash"

main() {
  read_options "$@"
  export -n GITHUB_APP_PRIVATE_KEY # no program that is called here needs it
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

# --- what it needs

check_needs() {
  need_node
  need_plain_home
  need_program
  need_user_manager
  command -v flock >/dev/null || missing+=("flock, from util-linux: without it two refreshes at once would both mint")
  if [[ -z $node || ! -f $root/dist/refresh/main.cjs ]]; then
    missing+=("perhaps some settings: without Node and the program they cannot be looked at yet")
  elif read_settings; then
    check_settings
  fi
}

# Sets $settings to what the environment and github-app.env make the refresh program use, and $settings_text to what is to
# become of that file.
settings='' settings_text=''
read_settings() {
  local complaints
  if settings=$(ask_program --settings 2>/dev/null) && settings_text=$(ask_program --settings-file 2>/dev/null); then
    return
  fi
  mapfile -t complaints < <(
    # What is wrong with the file is said by both; and Node warns of certificates that it finds no file for.
    { ask_program --settings || :; ask_program --settings-file; } 2>&1 >/dev/null | awk '!/^Warning: / && !seen[$0]++'
  )
  missing+=("${complaints[@]}")
  # An ID that is missing does not keep the rest from being looked at.
  settings=$(GITHUB_APP_ID=0 GITHUB_APP_INSTALLATION_ID=0 ask_program --settings 2>/dev/null)
}

ask_program() { GHAUTH_NODE=$node "$root/scripts/takopi-refresh-github-token" "$1"; }

setting() { value_of "$1" "$settings"; }

check_settings() {
  use_paths_of "$settings"
  need_own_directory TOKEN_ENV_FILE "$token_env_dir"
  [[ -z $gh_config_dir ]] || need_own_directory GH_CONFIG_DIR "$gh_config_dir"
  need_outside_of_tmp NODE_EXTRA_CA_CERTS "$(setting NODE_EXTRA_CA_CERTS)"
  case $(setting GITHUB_TOKEN_SOURCE) in
  app) find_key ;;
  broker) need_outside_of_tmp GHAUTH_BROKER_TOKEN_FILE "$(setting GHAUTH_BROKER_TOKEN_FILE)" ;;
  esac
  [[ -z $gh_config_dir ]] || command -v gh >/dev/null ||
    warn "gh is not installed: only the token env file will be updated. Install gh, or set GH_AUTH=off."
}

# need_own_directory NAME DIRECTORY: the service's sandbox lets it write to that whole directory.
need_own_directory() {
  if [[ $HOME/ == "${2%/}"/* ]]; then
    missing+=("a directory of its own for $1: the refresh service must not write to all of ${2:-/}")
  else
    need_outside_of_tmp "$@"
  fi
}

need_outside_of_tmp() { # need_outside_of_tmp NAME PATH
  if [[ $2/ == @(/tmp|/var/tmp)/* && $2/ != "$HOME"/* ]]; then
    missing+=("a place outside of /tmp for $1: the refresh service has a /tmp of its own, without $2")
  fi
}

# Sets $key to the PEM to be installed, and $key_source to the file that it comes from; $key stays empty where the key
# in place is to be used.
key='' key_source=''
find_key() {
  local path
  if [[ -n ${GITHUB_APP_PRIVATE_KEY:-} ]]; then
    key=${GITHUB_APP_PRIVATE_KEY//'\n'/$'\n'}
    [[ $key == *-----BEGIN* ]] || key=$(printf '%s' "$key" | base64 --decode 2>/dev/null | tr -d '\0') || key=''
    [[ $key == *-----BEGIN* ]] || missing+=("a GITHUB_APP_PRIVATE_KEY that is PEM, or base64 of it: its value is neither")
    key=${key%"${key##*[![:space:]]}"}$'\n'
    return
  fi
  path=$(setting GITHUB_APP_PRIVATE_KEY_PATH)
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
  local at unit
  ensure_dir "$config_dir" 0700
  ensure_dir "$state_dir" 0700
  ensure_dir "$token_env_dir"
  [[ -z $gh_config_dir ]] || ensure_dir "$gh_config_dir"
  ensure_dir "$unit_dir"
  if [[ -n $key ]]; then
    put 0600 "$key_file" "$key"
  elif [[ -f $key_file && $(stat -Lc %a -- "$key_file") != 600 ]]; then
    note_change "$key_file" "mode 0600"
    [[ $dry_run == yes ]] || chmod -- 0600 "$key_file"
  fi
  put 0600 "$settings_file" "$settings_text"$'\n'
  keep_to_owner "$takopi_toml" "$(setting GHAUTH_BROKER_TOKEN_FILE)"
  resume_chat_host
  install_program
  at=${#undo_paths[@]}
  for unit in "${refresh_units[@]}"; do put 0644 "$unit_dir/$unit" "$(render_unit "$unit")"$'\n'; done
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
  limit_first_run
  say "refreshing the token: waiting for $(origin), for $first_run_seconds s at most…"
  if complaint=$(systemctl --user start "$refresh_unit.service" 2>&1); then
    unlimit_first_run
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

# Whoever sits and waits is told sooner than a timer that GitHub is away.
first_run_seconds=20
limit_first_run() {
  local own
  own=$(setting GHAUTH_REFRESH_DEADLINE_SECONDS)
  own=${own%.*}
  if ((own <= first_run_seconds)); then
    first_run_seconds=$own
    return
  fi
  limit_file=$XDG_RUNTIME_DIR/systemd/user/$refresh_unit.service.d/first-run.conf # gone at the latest with the next boot
  mkdir -p -- "${limit_file%/*}"
  printf '[Service]\nEnvironment=GHAUTH_REFRESH_DEADLINE_SECONDS=%s\n' "$first_run_seconds" >"$limit_file"
  systemctl --user daemon-reload
}

limit_file=''
unlimit_first_run() {
  [[ -n $limit_file ]] || return 0
  rm -f -- "$limit_file"
  rmdir -- "${limit_file%/*}" 2>/dev/null || : # it holds somebody else's
  systemctl --user daemon-reload
}

# Where the token comes from, in words.
origin() {
  case $(setting GITHUB_TOKEN_SOURCE) in
  app) printf 'GitHub at %s' "$(setting GITHUB_API_URL)" ;;
  broker) printf 'the broker at %s' "$(setting GHAUTH_BROKER_URL)" ;;
  command) printf 'GITHUB_TOKEN_COMMAND and GitHub' ;;
  esac
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
  unlimit_first_run
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
  local table config
  say ""
  # It exits 1 for a token that is not fresh, and says so.
  if [[ $token_env_file == "$config_dir/github-token.env" || -e $takopi_toml ]]; then
    "$bin_dir/ghauth" status || :
  else
    table=$(shown "$token_env_file")
    table=${table//\\/\\\\}
    table="[plugins.ghauth]"$'\n'"token_env_file = \"${table//\"/\\\"}\""
    config=$(mktemp)
    printf '%s\n' "$table" >"$config"
    "$bin_dir/ghauth" status --config "$config" || :
    rm -f -- "$config"
    say "For /ghauth to find the token, put these lines into $(shown "$takopi_toml"):"$'\n'"$table"
  fi
  say ""
  if [[ -n $key_source ]]; then
    say "The key is in $(shown "$key_file"). Remove the other copy now: rm -- $(printf '%q' "$key_source")"
  fi
  "$bin_dir/ghauth" notify --where || :
  tell_git_recipe
  [[ ":$PATH:" == *":$bin_dir:"* ]] || warn "$bin_dir is not on your PATH: add it, so that git and you find ghauth."
}

# The empty line drops the helpers that were set before, gh's too, and with them git's complaint that there are several.
tell_git_recipe() {
  local helper
  helper=credential.$(git_url).helper
  say "For git to use the token, run:"
  say "  git config --global --replace-all $helper ''"
  say "  git config --global --add $helper ghauth"
}

# Where git finds what the API at GITHUB_API_URL is about: the API of GitHub's own clouds has a host of its own beside.
git_url() {
  local host
  host=$(setting GITHUB_API_URL)
  case $host in https://*) ;; *) host=https://github.com ;; esac
  host=${host#https://}
  host=${host%%/*}
  case $host in api.github.com | api.*.ghe.com) host=${host#api.} ;; esac
  printf 'https://%s' "$host"
}

main "$@"
